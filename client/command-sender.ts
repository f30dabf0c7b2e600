import type { CommandInput, CommandName, ReplyData } from '#src/protocol/commands.js';

import { ConnectionError } from './connection-error.js';
import { delayBeforeRetry, leavesDoubt } from './retry.js';
import type { Session, ReplyHandler } from './session.js';

/** Commands that are useless when they are late. */
const EPHEMERAL_COMMANDS: ReadonlySet<string> = new Set<CommandName>(['typing.set']);

/** Options of a command. */
export interface SendOptions {
  /** Called with the data of the reply before any later frame is read. */
  readonly onReply?: ReplyHandler;
  /** Uses only the session that is open now; retries have no limit on it. */
  readonly isBound?: boolean;
  /** Abandons the command when it aborts; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

interface Job {
  readonly cmd: string;
  readonly data: object;
  readonly onReply: ReplyHandler | undefined;
  /** The only session that may carry the command; null for any. */
  readonly boundTo: Session | null;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: Error) => void;
  retries: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  isSent: boolean;
  /** Whether the server may have executed it although no reply arrived. */
  isInDoubt: boolean;
}

/** Sends commands until they are answered, over any number of sessions. */
export class CommandSender {
  private session: Session | null = null;
  private readonly jobs = new Set<Job>();
  private closedBy: ConnectionError | null = null;
  private onIdle: () => void = () => undefined;

  /**
   * Sends a command, at once or with the next session; resolves to the data of its reply.
   *
   * Rejects with a `CommandError` or a `ConnectionError`.
   */
  send<C extends CommandName>(
    cmd: C,
    data: CommandInput<C>,
    { onReply, isBound = false, signal }: SendOptions = {},
  ): Promise<ReplyData<C>> {
    return new Promise<unknown>((resolve, reject) => {
      const boundTo = isBound ? this.session : null;
      const isSent = false;
      const state = { retries: 0, timer: undefined, isSent, isInDoubt: false };
      const job: Job = { cmd, data, onReply, boundTo, resolve, reject, ...state };
      this.jobs.add(job);
      signal?.addEventListener('abort', () => this.fail(job, abortedBy(signal, job)));
      this.start(job);
    }) as Promise<ReplyData<C>>;
  }

  /** Continues on a new session with the waiting commands. */
  opened(session: Session, isOtherUser: boolean): void {
    this.session = session;
    for (const job of [...this.jobs]) {
      if (job.boundTo !== null) this.fail(job, noConnection(job));
      // For another user the cid identifies another message (P-6.3).
      else if (isOtherUser && job.isInDoubt && job.cmd === 'message.send') {
        this.fail(job, userChanged(job));
      } else if (!job.isSent && job.timer === undefined) this.start(job);
    }
  }

  /** Waits until every command is answered; resolves at once if there is no session. */
  async idle(): Promise<void> {
    if (this.jobs.size === 0 || this.session?.isUsable !== true) return;
    await new Promise<void>((resolve) => (this.onIdle = resolve));
  }

  /** Fails all commands, also later ones. */
  close(error: ConnectionError): void {
    this.closedBy = error;
    for (const job of [...this.jobs]) this.fail(job, closedBefore(job, error));
  }

  private start(job: Job): void {
    const { session } = this;
    if (this.closedBy !== null) this.fail(job, closedBefore(job, this.closedBy));
    else if (session?.isUsable === true && (job.boundTo ?? session) === session) {
      this.sendOn(session, job);
    } else if (job.boundTo !== null || EPHEMERAL_COMMANDS.has(job.cmd)) {
      this.fail(job, noConnection(job));
    }
  }

  private sendOn(session: Session, job: Job): void {
    job.isSent = true;
    session.request(job.cmd, job.data, job.onReply).then(
      (data) => {
        this.remove(job);
        job.resolve(data);
      },
      (error: unknown) => {
        job.isSent = false;
        this.retryOrFail(job, error as Error);
      },
    );
  }

  private retryOrFail(job: Job, error: Error): void {
    if (!this.jobs.has(job)) return;
    if (leavesDoubt(error)) job.isInDoubt = true;
    const delayMs = delayBeforeRetry({ ...job, isBound: job.boundTo !== null }, error);
    if (delayMs === null) this.fail(job, error);
    else if (delayMs === 0) this.start(job);
    else {
      job.retries++;
      job.timer = setTimeout(() => {
        job.timer = undefined;
        this.start(job);
      }, delayMs);
    }
  }

  private fail(job: Job, error: Error): void {
    this.remove(job);
    job.reject(error);
  }

  private remove(job: Job): void {
    clearTimeout(job.timer);
    this.jobs.delete(job);
    if (this.jobs.size === 0) this.onIdle();
  }
}

/** Returns the error of a signal, with whether the command was sent. */
function abortedBy({ reason }: AbortSignal, { isSent, isInDoubt }: Job): Error {
  if (!(reason instanceof ConnectionError)) return reason as Error;
  const { code, message, cid, cause } = reason;
  return new ConnectionError(code, message, { wasSent: isSent || isInDoubt, cid, cause });
}

function noConnection({ cmd }: Job): ConnectionError {
  return new ConnectionError('lost', `There is no connection for ${cmd}.`);
}

function closedBefore({ isSent, isInDoubt }: Job, error: ConnectionError): ConnectionError {
  const { code, message, closeCode } = error;
  const wasSent = isSent || isInDoubt;
  return new ConnectionError(code, message, { wasSent, closeCode, cause: error });
}

function userChanged({ cmd }: Job): ConnectionError {
  const message = `The client reconnected as another user before ${cmd} was answered.`;
  return new ConnectionError('user_changed', message, { wasSent: true });
}
