import { ConnectionError } from 'parlance-client';

import { recall, recallAll, remember } from './browser-memory.js';

const KEY = 'outbox.';
/** Errors that may not occur again once the room is open. */
const NOT_IN_ROOM = ['not_member', 'not_found'];
const CID_BYTES = 12;

/**
 * The messages of a person that are not known to be stored (P-6.3).
 *
 * The browser remembers them over a reload and a change of the room. One message is sent at a
 * time, in the order in which they were written. The client sends a message again after a lost
 * connection; each has a `cid`, so that a later page or another tab may send it again without
 * storing it twice.
 */
export class Outbox {
  #send;
  #changed;
  #items = recallAll(KEY)
    .map((text) => JSON.parse(text))
    .sort((a, b) => a.order - b.order);
  /** Id of the user who sends; null while the user is not in the room. */
  #user = null;
  #room = null;
  #isWorking = false;
  #timer = undefined;
  /** Items that cannot be sent before their room is opened. */
  #later = new Set();

  /** `send` sends an item and resolves when it is stored; `changed` gets all items. */
  constructor(send, changed) {
    this.#send = send;
    this.#changed = changed;
  }

  /** Shows the messages that the browser remembers. */
  show() {
    this.#changed(this.#items);
  }

  /** Adds a text; `more` is stored with it. */
  add(room, text, more = {}) {
    const order = Math.max(Date.now(), (this.#items.at(-1)?.order ?? 0) + 1);
    const item = { cid: newCid(), room, text, order, state: 'waiting', tries: 0, ...more };
    this.#items.push(item);
    this.#store(item);
    void this.#work();
  }

  /** Sends the waiting messages in their order: `user` is in `room`. */
  resume(user, room) {
    this.#user = user;
    this.#room = room;
    this.#later.clear();
    this.#failDoubtful();
    void this.#work();
  }

  /** Starts no message until {@link resume}. */
  pause() {
    this.#user = null;
    this.#room = null;
    clearTimeout(this.#timer);
  }

  /** Tries a failed message again; `more` is stored with it. */
  retry(item, more = {}) {
    Object.assign(item, { state: 'waiting', why: undefined, ...more });
    this.#store(item);
    void this.#work();
  }

  /** Removes a message that was discarded, or that is in the room. */
  remove(cid) {
    remember(KEY + cid, null);
    const before = this.#items.length;
    this.#items = this.#items.filter((item) => item.cid !== cid);
    if (this.#items.length < before) this.show();
  }

  /** Removes a message that another tab has removed from the memory of the browser. */
  noteChange(key) {
    if (key.startsWith(KEY) && recall(key) === null) this.remove(key.slice(KEY.length));
  }

  /** Replaces the name of a room by its id, which is known once the room was opened. */
  moveRoom(from, to) {
    for (const item of this.#items) {
      if (item.room !== from) continue;
      item.room = to;
      this.#store(item);
    }
  }

  /** Fails the messages for a room that cannot be opened. */
  refuse(room, why) {
    for (const item of this.#items) {
      if (item.room === room && item.state === 'waiting') this.#fail(item, why);
    }
  }

  /** Lets the person decide about messages of an earlier guest: another user has other `cid`s. */
  #failDoubtful() {
    const why = 'You are a different guest now. This message may already have been sent.';
    for (const item of this.#items) {
      if (item.tries > 0 && item.user !== this.#user && item.state === 'waiting') {
        this.#fail(item, why);
      }
    }
  }

  async #work() {
    if (this.#isWorking) return;
    this.#isWorking = true;
    clearTimeout(this.#timer);
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      if (!(await this.#try(item))) break;
    }
    this.#isWorking = false;
  }

  #next() {
    if (this.#user === null) return undefined;
    return this.#items.find((item) => item.state === 'waiting' && !this.#later.has(item));
  }

  /** Sends one message; resolves to whether the next one may be sent. */
  async #try(item) {
    item.tries++;
    item.user = this.#user;
    this.#remember(item);
    try {
      await this.#send(item);
      this.remove(item.cid);
      return true;
    } catch (error) {
      // The client has ended, or has another user: the next session resumes.
      if (error instanceof ConnectionError) return false;
      if (error.retryAfterMs !== undefined) {
        this.#timer = setTimeout(() => void this.#work(), error.retryAfterMs);
        return false;
      }
      this.#refused(item, error);
      return true;
    }
  }

  #refused(item, { code, message }) {
    if (item.room !== this.#room && NOT_IN_ROOM.includes(code)) this.#later.add(item);
    else this.#fail(item, message, code);
  }

  #fail(item, why, code) {
    Object.assign(item, { state: 'failed', why, code });
    this.#store(item);
  }

  #store(item) {
    this.#remember(item);
    this.show();
  }

  #remember(item) {
    // Another tab may have discarded or sent the message.
    if (this.#items.some(({ cid }) => cid === item.cid)) {
      remember(KEY + item.cid, JSON.stringify(item));
    }
  }
}

/** `crypto.randomUUID` exists only on HTTPS and localhost. */
function newCid() {
  const bytes = crypto.getRandomValues(new Uint8Array(CID_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
