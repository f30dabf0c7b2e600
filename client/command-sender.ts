import type { CommandInput, CommandName, ReplyData } from '#src/protocol/commands.js';

import { ConnectionError } from './connection-error.js';
import { delayBeforeRetry, leavesDoubt } from './retry.js';
import type { Session, TakeReply } from './session.js';

/** Commands of no use to anybody when they come late. */
const FLEETING: ReadonlySet<string> = new Set<CommandName>(['typing.set']);

/** How a command is sent. */
export interface SendOptions {
  /** Called with the data of the reply before any later frame is read. */
  readonly take?: TakeReply;
  /** Sends on the session that is open now and on no other, but without giving up on that. */
  readonly isBound?: boolean;
}

interface Job {
  readonly cmd: string;
  readonly data: object;
  readonly take: TakeReply | undefined;
  /** The only session on which it may be sent; null for any. */
  readonly boundTo: Session | null;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: Error) => void;
  retries: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  isSent: boolean;
  /** Whether it may have been carried out, although no reply told. */
  isInDoubt: boolean;
}

/** Sends commands until they are answered, over as many sessions as that takes. */
export class CommandSender {
  private session: Session | null = null;
  private readonly jobs = new Set<Job>();
  private closedBy: ConnectionError | null = null;
  private onIdle: () => void = () => undefined;

  /**
   * Sends a command, now or with the next session; resolves to the data of its reply.
   *
   * Rejects with a `CommandError` or a `ConnectionError`.
   */
  send<C extends CommandName>(
    cmd: C,
    data: CommandInput<C>,
    { take, isBound = false }: SendOptions = {},
  ): Promise<ReplyData<C>> {
    return new Promise<unknown>((resolve, reject) => {
      const boundTo = isBound ? this.session : null;
      const isSent = false;
      const state = { retries: 0, timer: undefined, isSent, isInDoubt: false };
      const job: Job = { cmd, data, take, boundTo, resolve, reject, ...state };
      this.jobs.add(job);
      this.start(job);
    }) as Promise<ReplyData<C>>;
  }

  /** Takes a new session, and sends on it what waits. */
  opened(session: Session, isOtherUser: boolean): void {
    this.session = session;
    for (const job of [...this.jobs]) {
      if (job.boundTo !== null) this.fail(job, noConnection(job));
      // Under another user the cid stands for another message (P-6.3).
      else if (isOtherUser && job.isInDoubt && job.cmd === 'message.send') {
        this.fail(job, userChanged(job));
      } else if (!job.isSent && job.timer === undefined) this.start(job);
    }
  }

  /** Resolves when nothing waits for an answer, or at once if there is no session to give one. */
  async idle(): Promise<void> {
    if (this.jobs.size === 0 || this.session?.isUsable !== true) return;
    await new Promise<void>((resolve) => (this.onIdle = resolve));
  }

  /** Gives up all commands, also those to come. */
  close(error: ConnectionError): void {
    this.closedBy = error;
    for (const job of [...this.jobs]) this.fail(job, closedBefore(job, error));
  }

  private start(job: Job): void {
    const { session } = this;
    if (this.closedBy !== null) this.fail(job, closedBefore(job, this.closedBy));
    else if (session?.isUsable === true && (job.boundTo ?? session) === session) {
      this.sendOn(session, job);
    } else if (job.boundTo !== null || FLEETING.has(job.cmd)) {
      this.fail(job, noConnection(job));
    }
  }

  private sendOn(session: Session, job: Job): void {
    job.isSent = true;
    session.request(job.cmd, job.data, job.take).then(
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

function noConnection({ cmd }: Job): ConnectionError {
  return new ConnectionError('lost', `There is no connection for ${cmd}.`);
}

function closedBefore({ isSent, isInDoubt }: Job, error: ConnectionError): ConnectionError {
  const { code, message, closeCode } = error;
  const wasSent = isSent || isInDoubt;
  return new ConnectionError(code, message, { wasSent, closeCode, cause: error });
}

function userChanged({ cmd }: Job): ConnectionError {
  const message = `The client came back as another user before ${cmd} was answered.`;
  return new ConnectionError('user_changed', message, { wasSent: true });
}
