import { LOST } from './connection.js';

const RETRY_MS = 2_000;
const MOST_REFUSALS = 5;

/**
 * What was written and is not yet known to be stored (P-6.3).
 *
 * One message is sent at a time, so that they keep their order when one is refused for its rate;
 * each has a `cid`, so that it may be sent again without being stored twice.
 */
export class Outbox {
  #send;
  #changed;
  #items = [];
  #ready = false;
  #working = false;
  #timer = undefined;

  /** `send` sends an item and resolves when it is stored; `changed` is told of all items. */
  constructor(send, changed) {
    this.#send = send;
    this.#changed = changed;
  }

  /** Adds a text. */
  add(room, text) {
    this.#items.push({ cid: newCid(), room, text, state: 'waiting', tries: 0, refusals: 0 });
    this.#announce();
    this.#work();
  }

  /** Sends what waits, in its order: the room is open. */
  resume() {
    this.#ready = true;
    this.#work();
  }

  /** Holds back until {@link resume}: the connection is lost. */
  pause() {
    this.#ready = false;
    clearTimeout(this.#timer);
  }

  /** Tries a message again that failed. */
  retry(item) {
    Object.assign(item, { state: 'waiting', refusals: 0, why: undefined });
    this.#announce();
    this.#work();
  }

  /** Drops a message, since it was given up, or since it is in the room. */
  remove(cid) {
    const before = this.#items.length;
    this.#items = this.#items.filter((item) => item.cid !== cid);
    if (this.#items.length < before) this.#announce();
  }

  /** Leaves what may have been stored to the person: under another user a `cid` is another one. */
  doubt() {
    for (const item of this.#items) {
      if (item.tries > 0) this.#fail(item, 'You are another guest now; this may have been sent.');
    }
  }

  async #work() {
    if (this.#working) return;
    this.#working = true;
    clearTimeout(this.#timer);
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      const waitMs = await this.#try(item);
      if (waitMs === null) continue;
      if (waitMs !== Infinity) this.#timer = setTimeout(() => void this.#work(), waitMs);
      break;
    }
    this.#working = false;
  }

  #next() {
    return this.#ready ? this.#items.find(({ state }) => state === 'waiting') : undefined;
  }

  /** Sends one message; gives how long to wait before more are sent, or null. */
  async #try(item) {
    item.tries++;
    try {
      await this.#send(item);
      this.remove(item.cid);
      return null;
    } catch (error) {
      if (error.code === LOST) return Infinity;
      if (error.retryAfterMs !== undefined) return error.retryAfterMs;
      if (error.retryable && ++item.refusals < MOST_REFUSALS) return RETRY_MS;
      this.#fail(item, error.message);
      return null;
    }
  }

  #fail(item, why) {
    Object.assign(item, { state: 'failed', why });
    this.#announce();
  }

  #announce() {
    this.#changed(this.#items);
  }
}

/** `randomUUID` is there on HTTPS and localhost only. */
function newCid() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
