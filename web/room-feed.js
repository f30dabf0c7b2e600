/** Keeps a room in step with its log on the server: joined, resumed or replayed (P-5). */
export class RoomFeed {
  #room;
  #connection;
  #taken;
  #syncing = false;

  /** `name` is as people typed it until the first cut; `taken` is told of each event. */
  constructor(name, room, connection, taken) {
    this.name = name;
    this.#room = room;
    this.#connection = connection;
    this.#taken = taken;
  }

  /** Gives what hello is to resume. */
  get positions() {
    const { position } = this.#room;
    return position === null ? {} : { [this.name]: { ...position } };
  }

  /** Takes up the room where it was left, or joins it (P-5.12). */
  async enter(resumed) {
    if (resumed?.complete === true) await this.#refreshPresence();
    else if (resumed?.reason === 'behind') await this.#sync();
    else await this.#join();
  }

  /** Takes in an event of the log; asks for what is missing before it (P-5.10). */
  async logged(event, data) {
    if (data.room !== this.#room.info?.id || this.#syncing) return;
    if (this.#take(event, data) === 'gap') await this.#sync();
  }

  async #join() {
    const cut = await this.#connection.command('room.join', { room: this.name, create: true });
    this.name = cut.room;
    this.#room.reset(cut);
  }

  /** Asks for the events after the position, page by page; live ones are among them (P-5.11). */
  async #sync() {
    this.#syncing = true;
    try {
      for (let more = true; more;) more = await this.#syncPage();
    } finally {
      this.#syncing = false;
    }
    await this.#refreshPresence();
  }

  async #syncPage() {
    const { epoch, seq: after } = this.#room.position;
    const { name: room } = this;
    const page = await this.#connection.command('room.sync', { room, epoch, after });
    if (!page.complete) {
      await this.#join();
      return false;
    }
    for (const { event, data } of page.events) this.#take(event, data);
    return page.hasMore;
  }

  /** A replay does not say who is online now; a cut does. */
  async #refreshPresence() {
    const { presence } = await this.#connection.command('room.sync', { room: this.name });
    this.#room.setPresence(presence);
  }

  #take(event, data) {
    const judgement = this.#room.take(event, data);
    if (judgement === 'next') this.#taken(event, data);
    return judgement;
  }
}
