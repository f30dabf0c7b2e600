const MOST_NAMES = 3;

/** Who is writing just now (P-7.4, P-7.5). */
export class Typing {
  #users = new Map();
  #show;

  /** `show` is given the line to show, which may be empty. */
  constructor(show) {
    this.#show = show;
  }

  /** Takes in a `typing` event. */
  apply({ user, active, expiresInMs }) {
    this.end(user.id);
    if (!active) return;
    const timer = setTimeout(() => this.end(user.id), expiresInMs);
    this.#users.set(user.id, { name: user.name, timer });
    this.#tell();
  }

  /** Takes the mark off a user. */
  end(id) {
    clearTimeout(this.#users.get(id)?.timer);
    if (this.#users.delete(id)) this.#tell();
  }

  /** Takes all marks off. */
  clear() {
    for (const id of [...this.#users.keys()]) this.end(id);
  }

  #tell() {
    const names = [...this.#users.values()].map(({ name }) => name);
    if (names.length === 0) this.#show('');
    else if (names.length > MOST_NAMES) this.#show('Several people are writing…');
    else this.#show(`${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} writing…`);
  }
}
