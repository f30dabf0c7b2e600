import { hasOwnGuest, recall, remember, watchMemory } from './browser-memory.js';

const KEY = 'guest';
const NOBODY = { token: null, id: null, name: null };
/** Several servers may share an origin, each below its own path. */
const LOCK = `parlance:${new URL('.', location.href).pathname}:guest`;

/**
 * The guest of this browser, which all its tabs share.
 *
 * The first tab that connects without a token creates the guest; the other tabs wait for it.
 */
export class Guest {
  /** The token that the client has; null while it has none. */
  #token = null;
  #release = null;
  #id;

  /** Calls `replaced` when another tab has stored a guest of another id than `id()` returns. */
  constructor(id, replaced) {
    this.#id = id;
    watchMemory((key) => {
      if (key !== KEY) return;
      const stored = read();
      if (stored.token !== null && id() !== null && stored.id !== id()) replaced();
    });
  }

  /** The latest name; null before the first welcome. */
  get name() {
    return read().name;
  }

  /** Prepares for a new client, which has no token yet. */
  reset() {
    this.#token = null;
    this.release();
  }

  /**
   * Resolves to the token for hello; to undefined for a new guest.
   *
   * The client asks for another token when the one that it has was refused.
   */
  async findToken() {
    if (this.#token !== null) this.#forget(this.#token);
    if (read().token === null) await this.#lock();
    const { token } = read();
    if (token !== null) this.release();
    this.#token = token;
    return token ?? undefined;
  }

  /** Stores the guest of a welcome; false if another tab stored its own guest meanwhile. */
  welcome({ id, name }, token) {
    const stored = read();
    const isLate = this.#token === null && stored.token !== null && stored.id !== id;
    if (!isLate) {
      this.#token = token ?? stored.token;
      write({ token: this.#token, id, name });
    }
    this.release();
    return !isLate;
  }

  /** Stores a token that the server issued to the guest during a session. */
  keepToken(token) {
    const id = this.#id();
    if (id !== null && this.#token !== null) {
      this.#token = token;
      this.update(id, { token });
    }
  }

  /** Stores a change of a guest, unless another guest is stored. */
  update(id, change) {
    const stored = read();
    if (stored.id === id) write({ ...stored, ...change });
  }

  /** Forgets a token that was refused, but not the name of the guest. */
  #forget(token) {
    const stored = read();
    if (stored.token === token) write({ ...NOBODY, name: stored.name });
  }

  /** Releases the lock, so that another tab can create the guest. */
  release() {
    this.#release?.();
    this.#release = null;
  }

  /** Browsers have locks on HTTPS and localhost only; {@link welcome} helps out elsewhere. */
  #lock() {
    if (hasOwnGuest || navigator.locks === undefined) return Promise.resolve();
    this.release();
    return new Promise((locked) => {
      const waiting = new AbortController();
      this.#release = () => waiting.abort();
      const hold = () =>
        new Promise((release) => {
          this.#release = release;
          locked();
        });
      // An aborted request means that the connection is lost: its hello leads nowhere.
      navigator.locks.request(LOCK, { signal: waiting.signal }, hold).catch(() => locked());
    });
  }
}

function read() {
  const text = recall(KEY);
  return text === null ? NOBODY : JSON.parse(text);
}

function write(guest) {
  remember(KEY, JSON.stringify(guest));
}
