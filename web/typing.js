import { makeElement } from './make-element.js';

const MOST_NAMES = 3;

/** The users who are typing (P-7.4, P-7.5). */
export class Typing {
  #users = new Map();
  /** Number of users who are typing in a room that is too large for names. */
  #count = 0;
  #countTimer;
  #show;

  /** `show` gets the parts of the line, texts and elements; none if no user is typing. */
  constructor(show) {
    this.#show = show;
  }

  /** Applies a `typing` event; ignores the reader, whose id is `self`. */
  apply({ started, stopped = [], count, expiresInMs }, self) {
    if (started === undefined) {
      this.#setCount(count, expiresInMs);
      return;
    }
    for (const id of stopped) this.end(id);
    for (const { id, name } of started) {
      if (id === self) continue;
      clearTimeout(this.#users.get(id)?.timer);
      const timer = setTimeout(() => this.end(id), expiresInMs);
      this.#users.set(id, { name, timer });
    }
    this.#update();
  }

  /** Removes a user. */
  end(id) {
    clearTimeout(this.#users.get(id)?.timer);
    if (this.#users.delete(id)) this.#update();
  }

  /** Removes all users. */
  clear() {
    for (const id of [...this.#users.keys()]) this.end(id);
    this.#setCount(0, 0);
  }

  #setCount(count, expiresInMs) {
    clearTimeout(this.#countTimer);
    this.#count = count;
    if (count > 0) this.#countTimer = setTimeout(() => this.#setCount(0, 0), expiresInMs);
    this.#update();
  }

  #update() {
    const names = [...this.#users.values()].map(({ name }) => name);
    if (names.length > MOST_NAMES || this.#count > 1) this.#show('Several people are typing…');
    else if (names.length > 0) {
      this.#show(...listOf(names), names.length === 1 ? ' is typing…' : ' are typing…');
    } else if (this.#count === 1) this.#show('Someone is typing…');
    else this.#show();
  }
}

/** Isolates each name, so that names of both writing directions keep their order. */
function listOf(names) {
  return names.flatMap((name, index) => {
    const element = makeElement('bdi', {}, name);
    return index === 0 ? [element] : [', ', element];
  });
}
