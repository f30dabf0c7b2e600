import { Inject, Injectable, Logger } from '@nestjs/common';

import type { Connection } from '../chat/connection.js';
import { DialectPort, type DialectCore, type DialectPlug } from '../chat/dialect-port.js';
import type { Encoding, Link, Sink } from '../chat/transport.js';
import { CONFIG, type Config } from '../config/config.js';
import type { ReplyData } from '../protocol/commands.js';
import type { Outcome } from '../protocol/frames.js';
import type { User } from '../protocol/models.js';
import { foldRoomName } from '../protocol/names.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import { TokensService } from '../users/tokens.service.js';
import { checkDialects } from './define-dialect.js';
import { DialectEncoding } from './dialect-encoding.js';
import { DialectGuests, type GuestMark } from './dialect-guests.service.js';
import { DialectImages } from './dialect-images.service.js';
import { DialectLink } from './dialect-link.js';
import type { Ask, Dialect, ForeignEvent, Surroundings } from './dialect.js';
import { Interpreter, type Helpers } from './interpreter.js';
import { nameKey } from './name-key.js';
import { Observers } from './observers.js';
import { UndeclaredSink } from './undeclared-sink.js';

/** Token by which the list of the dialects that are spoken is injected. */
export const DIALECTS = Symbol('Dialects');

const logger = new Logger('Dialects');

/** Speaks foreign protocols to the clients that know no other (P-10.7). */
@Injectable()
export class Dialects implements DialectPlug, Helpers {
  private readonly around: Surroundings;
  private readonly encodings = new Map<Dialect, Map<Encoding, DialectEncoding>>();
  /** Who speaks each dialect, those that declared themselves first in front. */
  private readonly speakers = new Map<Connection, Interpreter>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(DIALECTS) private readonly dialects: readonly Dialect[],
    @Inject(DialectPort) port: DialectPort,
    @Inject(DialectGuests) private readonly guests: DialectGuests,
    @Inject(Observers) private readonly observers: Observers,
    @Inject(DialectImages) private readonly images: DialectImages,
    @Inject(TokensService) private readonly tokens: TokensService,
  ) {
    this.around = {
      publicRoom: foldRoomName(config.defaultRoom) ?? config.defaultRoom,
      historyMessages: config.dialectHistory,
      dataUrl: (image) => images.dataUrl(image),
    };
    checkDialects(dialects);
    observers.use(dialects, this.around);
    if (dialects.length > 0) port.plug = this;
  }

  accept(inner: Link, core: DialectCore): Sink | undefined {
    const link = new DialectLink(inner);
    const connection = core.open(link);
    if (connection === undefined) return undefined;
    return new UndeclaredSink(connection, {
      findDialect: (event) => this.dialects.find((dialect) => isDeclaredBy(dialect, event)),
      declare: (dialect) => this.declare(dialect, inner, link, connection, core),
      greet: () => this.observers.remove(link),
      observe: () => this.observe(link, connection),
      closed: () => this.closed(link, connection),
    });
  }

  drained(connection: Connection): Promise<void> | undefined {
    return this.speakers.get(connection)?.drained();
  }

  /** Gives a hello its version and its token, and a message the file that came with it. */
  async complete({ ask, data, upload }: Ask, speaker: Interpreter): Promise<Ask['data']> {
    if (ask === 'hello') return this.greeting(data, speaker);
    const { user } = speaker.link;
    if (upload === undefined || user === null) return data;
    return { ...data, files: [await this.images.store(user, upload.bytes, upload.name)] };
  }

  async settled({ ask, data }: Ask, outcome: Outcome, speaker: Interpreter): Promise<void> {
    const { link, dialect } = speaker;
    if (!outcome.ok) {
      if (ask === 'hello') this.forget(speaker);
      return;
    }
    const { user } = link;
    if (user === null) return;
    if (ask === 'hello') await this.welcomed(speaker, user);
    if (ask === 'user.update') {
      await this.guests.come(user, this.markOf(speaker), dialect.hasNames === true);
    }
    if (ask === 'room.join') this.joined(String(data['room']), speaker);
    if (ask === 'dm.open') {
      this.meet(String(data['user']), user.id, outcome.data as ReplyData<'dm.open'>);
    }
  }

  /** Who speaks a dialect and is nobody yet, having asked for a list at first, only listens too. */
  private observe(link: DialectLink, connection: Connection): void {
    if (link.user === null) this.observers.add(link, connection);
  }

  private joined(room: string, { link, dialect }: Interpreter): void {
    if (room === this.around.publicRoom) this.observers.remove(link);
    if (dialect.frameBytes !== undefined) link.admitFrames(dialect.frameBytes);
  }

  /** The guest who was about to come back does not. */
  private forget(speaker: Interpreter): void {
    if (speaker.returning !== null) this.guests.go(speaker.returning.id);
    speaker.returning = null;
  }

  private declare(
    dialect: Dialect,
    inner: Link,
    link: DialectLink,
    connection: Connection,
    core: DialectCore,
  ): Interpreter {
    const { around } = this;
    const { inFlight } = this.config.limits;
    const wasHeard = this.observers.has(link);
    const speaker = new Interpreter({ link, dialect, connection, core, around, inFlight }, this);
    this.speakers.set(connection, speaker);
    link.speak({
      dialect,
      encoding: this.encodingOf(dialect, inner.encoding),
      ask: (asks) => speaker.ask(asks),
      findPeer: (name) => this.findPeer(speaker, name),
    });
    const greeting = dialect.observer?.greeting;
    if (greeting !== undefined && !wasHeard) speaker.emit(greeting);
    return speaker;
  }

  /** A guest who comes back by name and address is the one who went, and in the rooms of then. */
  private async greeting(data: Ask['data'], speaker: Interpreter): Promise<Ask['data']> {
    const hello = { ...data, protocol: PROTOCOL_VERSION };
    if (speaker.dialect.hasNames !== true || typeof data['name'] !== 'string') return hello;
    const guest = await this.guests.comeBack(this.markOf(speaker, data['name']));
    if (guest === null) return hello;
    speaker.returning = guest;
    return { ...hello, token: (await this.tokens.issue(guest)).token };
  }

  private async welcomed(speaker: Interpreter, user: User): Promise<void> {
    const { connection, dialect, returning } = speaker;
    // Who never hears as an observer does is none any more; others are until they hear as members.
    if (dialect.observer === undefined) this.observers.remove(speaker.link);
    await this.guests.come(user, this.markOf(speaker), dialect.hasNames === true);
    // The connection may have been closed meanwhile.
    if (!connection.isOpen) this.guests.go(user.id);
    for (const room of returning?.rooms ?? []) {
      await speaker.askQuietly({ ask: 'room.join', data: { room } });
    }
    speaker.returning = null;
  }

  /** The direct room that one opens is open for the other, too, who hears what comes from then on. */
  private meet(other: string, opener: string, { room, seq }: ReplyData<'dm.open'>): void {
    for (const speaker of this.speakers.values()) {
      if (speaker.link.user?.id !== other) continue;
      const data = { user: opener };
      // Who receives it already is spared a command, which would be taken from their rate.
      const isFor: Ask['isFor'] = ({ rooms }) => !rooms.has(room);
      speaker.ask([{ ask: 'dm.open', data, after: seq, isFor }]);
    }
  }

  private findPeer(asking: Interpreter, name: string): string | null {
    const same = nameKey(name);
    for (const { link, dialect } of this.speakers.values()) {
      if (dialect !== asking.dialect || link.user === null || link === asking.link) continue;
      if (nameKey(link.user.name) === same) return link.user.id;
    }
    return null;
  }

  private markOf({ dialect, link, connection }: Interpreter, name = link.user?.name): GuestMark {
    const { remoteAddress: address } = connection.handshake;
    return { dialect: dialect.name, name: name ?? '', address };
  }

  private encodingOf(dialect: Dialect, inner: Encoding): DialectEncoding {
    const known = this.encodings.get(dialect) ?? new Map<Encoding, DialectEncoding>();
    this.encodings.set(dialect, known);
    const encoding = known.get(inner) ?? new DialectEncoding(inner, dialect, this.around);
    known.set(inner, encoding);
    return encoding;
  }

  private closed(link: DialectLink, connection: Connection): void {
    this.observers.remove(link);
    const speaker = this.speakers.get(connection);
    this.speakers.delete(connection);
    if (speaker !== undefined) this.forget(speaker);
    if (link.user !== null) this.guests.go(link.user.id);
  }
}

/** A dialect that stumbles over an event does not speak it: others may. */
function isDeclaredBy(dialect: Dialect, event: ForeignEvent): boolean {
  try {
    return dialect.declares(event);
  } catch (err) {
    logger.error({ msg: `Dialect ${dialect.name} failed at ${event.event}`, err });
    return false;
  }
}
