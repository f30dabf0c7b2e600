const SUBPROTOCOL = 'parlance.v1';
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
const AT_ONCE_MS = 250;
/** A session that lasted this long was a good one: the delays begin anew. */
const GOOD_SESSION_MS = 10_000;
const HEARTBEAT_SLACK = 1.2;

/** A command that was not done: the error of its reply, or the loss of the connection. */
export class CommandError extends Error {
  constructor({ code, message, retryable, retryAfterMs }) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Code of the error of a command whose reply was lost with the connection. */
export const LOST = 'connection_lost';

/**
 * A session over plain WebSocket that comes back by itself, as the server asks (P-4.5).
 *
 * The listener gives the data of each hello and is told of `phase`, `welcome` and `event`;
 * `refused` tells it that a hello failed, and whether to say it again is what it returns.
 */
export class Connection {
  #url;
  #listener;
  #socket = null;
  #pending = new Map();
  #lastId = 0;
  #failures = 0;
  #welcomedAt = null;
  #bye = null;
  #comeBack = undefined;
  #watchdog = undefined;
  #patienceMs = Infinity;

  constructor(url, listener) {
    this.#url = url;
    this.#listener = listener;
  }

  /** Connects, now. */
  open() {
    clearTimeout(this.#comeBack);
    if (this.#socket !== null) return;
    this.#bye = null;
    this.#welcomedAt = null;
    this.#listener.phase({ name: 'connecting' });
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    this.#socket = socket;
    const current = (handle) => (event) => {
      if (socket === this.#socket) handle(event);
    };
    socket.addEventListener(
      'open',
      current(() => void this.#greet()),
    );
    socket.addEventListener(
      'message',
      current(({ data }) => this.#receive(data)),
    );
    socket.addEventListener(
      'close',
      current(({ code, reason }) => this.#lost(code, reason)),
    );
  }

  /** Sends a command; resolves to the data of its reply. */
  command(cmd, data = {}) {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) {
        reject(lostError());
        return;
      }
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, cmd, data }));
    });
  }

  /** Sends a command whose failure is of no interest. */
  tell(cmd, data = {}) {
    this.command(cmd, data).catch(() => undefined);
  }

  async #greet() {
    try {
      const welcome = await this.command('hello', this.#listener.hello());
      this.#welcomedAt = performance.now();
      const { intervalMs, timeoutMs } = welcome.heartbeat;
      this.#patienceMs = (intervalMs + timeoutMs) * HEARTBEAT_SLACK;
      this.#watch();
      this.#listener.phase({ name: 'open' });
      this.#listener.welcome(welcome);
    } catch (error) {
      if (error.code === LOST) return;
      if (this.#listener.refused(error)) await this.#greet();
      else if (error.retryable) this.#socket?.close();
      else this.#stop(error.message);
    }
  }

  #stop(reason) {
    this.#socket?.close();
    this.#socket = null;
    this.#listener.phase({ name: 'stopped', reason });
  }

  #receive(text) {
    this.#watch();
    const { re, ok, data, error, event } = JSON.parse(text);
    if (re !== undefined) this.#settle(re, ok, data, error);
    else if (event === 'session.ping') this.tell('session.ping');
    else if (event === 'bye') this.#bye = data;
    else if (event !== undefined) this.#listener.event(event, data);
  }

  #settle(id, ok, data, error) {
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    if (ok) waiting?.resolve(data);
    else waiting?.reject(new CommandError(error));
  }

  /** The server is never silent for longer than its heartbeat: then the connection is dead. */
  #watch() {
    clearTimeout(this.#watchdog);
    if (this.#patienceMs === Infinity) return;
    this.#watchdog = setTimeout(() => {
      this.#socket?.close();
      this.#lost(1006, '');
    }, this.#patienceMs);
  }

  #lost(closeCode, closeReason) {
    clearTimeout(this.#watchdog);
    this.#patienceMs = Infinity;
    this.#socket = null;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(lostError());
    const { code, reason, delayMs } = this.#bye ?? { code: closeCode, reason: closeReason };
    if (verdictOf(code) === 'stay away') {
      this.#stop(reason);
      return;
    }
    const waitMs = delayMs ?? this.#delay(code);
    this.#listener.phase({ name: 'waiting', code, reason, waitMs });
    this.#comeBack = setTimeout(() => this.open(), waitMs);
  }

  #delay(code) {
    const lasted = this.#welcomedAt === null ? 0 : performance.now() - this.#welcomedAt;
    if (lasted > GOOD_SESSION_MS) this.#failures = 0;
    const failures = this.#failures++;
    if (verdictOf(code) === 'now' && failures === 0) return Math.random() * AT_ONCE_MS;
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
    return delay * (0.5 + Math.random() / 2);
  }
}

/** Reads a close code by its range, since new codes may come (P-4.5). */
export function verdictOf(code) {
  switch (Math.floor(code / 100)) {
    case 40:
      return 'stay away';
    case 42:
      return 'now';
    case 43:
      return 'new credentials';
    default:
      return 'later';
  }
}

function lostError() {
  const message = 'The connection was lost.';
  return new CommandError({ code: LOST, message, retryable: true });
}
