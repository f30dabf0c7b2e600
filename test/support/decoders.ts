import { readdirSync, readFileSync } from 'node:fs';

const PROGRAM = /decoder\.program/;
const SAMPLE_MS = 5;

/** Measures the memory of the child processes that decode images; Linux only. */
export class DecoderMemory {
  private peakBytes = 0;
  private readonly timer = setInterval(() => this.sample(), SAMPLE_MS);

  /** Stops measuring; returns the peak memory of a single process in bytes. */
  end(): number {
    clearInterval(this.timer);
    this.sample();
    return this.peakBytes;
  }

  private sample(): void {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      this.peakBytes = Math.max(this.peakBytes, peakOf(pid));
    }
  }
}

/** Returns the peak memory of a decoder of this process in bytes; 0 for other processes. */
function peakOf(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (!status.includes(`PPid:\t${String(process.pid)}\n`)) return 0;
    if (!PROGRAM.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) return 0;
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
  } catch {
    // The process has ended meanwhile.
    return 0;
  }
}
