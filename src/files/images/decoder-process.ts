import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { ImageJob, ImageReport, ImageResult } from './image-job.js';

const PROGRAM = fileURLToPath(new URL('./decoder.program.js', import.meta.url));
/** The program needs little heap; images are outside of it. */
const EXEC_ARGV = ['--max-old-space-size=96'];
/** Starting takes a tenth of a second; far longer on a machine under load. */
const START_MS = 30_000;
const IDLE_MS = 30_000;

/** The bounds of a job. */
export interface DecoderLimits {
  readonly memoryBytes: number;
  readonly timeMs: number;
}

/** The result of a job, or why there is none. */
export type DecoderResult =
  | ImageResult
  | { readonly isOutOfMemory: true }
  | { readonly isOutOfTime: true }
  | { readonly isCrashed: true };

/** A process that decodes one image at a time; started when needed, and ended when idle. */
export class DecoderProcess {
  private child: ChildProcess | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly limits: DecoderLimits) {}

  /**
   * Decodes an image within the limits, even if it crashes the process.
   *
   * @throws Error if the process cannot be started
   */
  async decode(job: ImageJob): Promise<DecoderResult> {
    clearTimeout(this.idle);
    const child = this.child?.connected === true ? this.child : await this.start();
    this.child = child;
    const result = await run(child, job, this.limits.timeMs);
    if (result.isLast) this.end();
    else this.idle = setTimeout(() => this.end(), IDLE_MS).unref();
    return result.outcome;
  }

  /** Kills the process and its current job. */
  end(): void {
    clearTimeout(this.idle);
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private async start(): Promise<ChildProcess> {
    const child = fork(PROGRAM, [String(this.limits.memoryBytes)], {
      execArgv: EXEC_ARGV,
      serialization: 'json',
      // Its standard output is not part of the log.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // An idle process does not keep the server running.
    child.unref();
    await untilReady(child);
    return child;
  }
}

interface Run {
  readonly outcome: DecoderResult;
  readonly isLast: boolean;
}

/** Resolves when the process reports that it is ready; rejects if it ends first. */
function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error('The process that decodes images did not start'));
    };
    const timer = setTimeout(fail, START_MS);
    child.once('error', fail).once('exit', fail);
    child.once('message', () => {
      clearTimeout(timer);
      child.off('error', fail).off('exit', fail);
      // A failure to reach the process also shows as its exit.
      child.on('error', () => undefined);
      child.channel?.unref();
      resolve();
    });
  });
}

function run(child: ChildProcess, job: ImageJob, timeMs: number): Promise<Run> {
  return new Promise((resolve) => {
    const settle = (outcome: DecoderResult, isLast = true) => {
      clearTimeout(timer);
      child.removeAllListeners('message').removeAllListeners('exit');
      resolve({ outcome, isLast });
    };
    const timer = setTimeout(() => settle({ isOutOfTime: true }), timeMs);
    child.on('message', (message) => {
      const report = message as ImageReport;
      if ('result' in report) settle(report.result, report.isLast);
      else if ('isOutOfMemory' in report) settle(report);
    });
    // Linux kills the process this way when the whole machine runs out of memory.
    child.once('exit', (_code, signal) =>
      settle(signal === 'SIGKILL' ? { isOutOfMemory: true } : { isCrashed: true }),
    );
    child.send(job, (error) => {
      if (error !== null) settle({ isCrashed: true });
    });
  });
}
