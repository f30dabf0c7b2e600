import { Inject, Injectable, Logger } from '@nestjs/common';

import type { Connection } from '../chat/connections/connection.js';
import type { DialectPort, Intake, OpenConnection } from '../chat/ports/dialect-port.js';
import type { Encoding, Link, Sink } from '../chat/connections/transport.js';
import { CONFIG, type Config } from '../config/config.js';
import { COMMANDS, type ReplyData } from '../protocol/commands.js';
import type { Outcome } from '../protocol/frames.js';
import type { User } from '../protocol/models.js';
import { foldDisplayName } from '../protocol/names.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { TokensService } from '../users/tokens.service.js';
import { DialectDetector, type DetectionHandler } from './dialect-detector.js';
import { DialectEncoding } from './dialect-encoding.js';
import { DialectGuests, type GuestKey } from './dialect-guests.js';
import { DialectImages } from './dialect-images.js';
import { DialectLink } from './dialect-link.js';
import { DIALECT_CONTEXT, DIALECTS } from './dialect-tokens.js';
import { DialectSession, type CommandHooks, type PublicRead } from './dialect-session.js';
import type { ClientEvent, CommandStep, Dialect, DialectContext } from './dialect.js';
import { Observers } from './observers.js';
import { PublicReads } from './public-reads.js';

const logger = new Logger('Dialects');

/** Serves clients of legacy protocols by their dialects (P-10.7). */
@Injectable()
export class DialectsService implements DialectPort, CommandHooks {
  private readonly encodings = new Map<Dialect, Map<Encoding, DialectEncoding>>();
  /** Sessions by connection, in the order in which they declared their dialects. */
  private readonly sessions = new Map<Connection, DialectSession>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(DIALECTS) private readonly dialects: readonly Dialect[],
    @Inject(DIALECT_CONTEXT) private readonly context: DialectContext,
    private readonly guests: DialectGuests,
    private readonly observers: Observers,
    private readonly images: DialectImages,
    private readonly tokens: TokensService,
    private readonly reads: PublicReads,
    private readonly rooms: RoomsService,
  ) {}

  accept(inner: Link, open: OpenConnection): Sink | undefined {
    const link = new DialectLink(inner);
    const intake = open(link);
    if (intake === undefined) return undefined;
    const { connection } = intake;
    this.observers.follow(link, connection);
    const handler: DetectionHandler = {
      findDialect: (event) => this.dialects.find((one) => isDeclaredBy(one, event)),
      onDialect: (dialect) => this.startSession(dialect, inner, link, intake),
      onProtocol: () => this.observers.remove(link),
      onUnknown: () => this.observers.dismiss(link),
      // A connection that declared a dialect but only read has no user and is an observer too.
      onSilence: () => {
        if (link.user === null) this.observers.listen(link);
      },
      onClose: () => this.endSession(link, connection),
    };
    return new DialectDetector(intake, handler, this.config.dialectSilenceMs);
  }

  isObserver(connection: Connection): boolean {
    return this.observers.isObserver(connection);
  }

  drained(connection: Connection): Promise<void> | undefined {
    return this.sessions.get(connection)?.drained();
  }

  /** Adds the version and token to a `hello`, and uploads the file of a message. */
  async completeData(
    { ask, data, upload }: CommandStep,
    session: DialectSession,
  ): Promise<CommandStep['data']> {
    if (ask === 'hello') return this.completeHello(data, session);
    const { user } = session.link;
    if (upload === undefined || user === null) return data;
    return { ...data, files: [await this.images.store(user, upload.bytes, upload.name)] };
  }

  /** Returns the read of a command that needs no user or no membership (P-10.7). */
  findPublicRead(
    { ask, data }: CommandStep,
    { link, connection, reads }: DialectSession,
  ): PublicRead | null {
    const { remoteAddress } = connection.handshake;
    if (ask === 'message.history' && link.user === null && link.hearsDefaultRoom) {
      const { success, data: history } = COMMANDS[ask].data.safeParse(data);
      if (!success || history.room !== this.context.defaultRoom) return null;
      return () => this.reads.history(history, remoteAddress, reads);
    }
    if (ask !== 'room.members') return null;
    const { success, data: listing } = COMMANDS[ask].data.safeParse(data);
    if (!success || link.rooms.has(listing.room)) return null;
    return () => this.rooms.publicMembers(listing);
  }

  /** Follows up a command: a returning guest, a joined room, an opened direct room. */
  async onOutcome(
    { ask, data }: CommandStep,
    outcome: Outcome,
    session: DialectSession,
  ): Promise<void> {
    const { link, dialect } = session;
    if (!outcome.ok) {
      if (ask === 'hello') this.dropReturning(session);
      return;
    }
    const { user } = link;
    if (user === null) return;
    if (ask === 'hello') await this.afterHello(session, user);
    if (ask === 'user.update') {
      await this.guests.markPresent(user, this.keyOf(session), dialect.hasNames === true);
    }
    if (ask === 'room.join') await this.afterJoin(String(data['room']), session);
    if (ask === 'dm.open') {
      this.openForPeer(String(data['user']), user.id, outcome.data as ReplyData<'dm.open'>);
    }
  }

  private async afterJoin(room: string, session: DialectSession): Promise<void> {
    const { link, dialect } = session;
    if (room === this.context.defaultRoom) this.observers.remove(link);
    if (dialect.frameBytes !== undefined) link.admitFrames(dialect.frameBytes);
    await this.leaveOthers(room, session);
  }

  /** Cancels the return of a guest. */
  private dropReturning(session: DialectSession): void {
    if (session.returning !== null) this.guests.markAway(session.returning.id);
    session.returning = null;
  }

  private startSession(
    dialect: Dialect,
    inner: Link,
    link: DialectLink,
    intake: Intake,
  ): DialectSession {
    const { context } = this;
    const { inFlight } = this.config.limits;
    const wasGreeted = this.observers.isObserver(intake.connection);
    const session = new DialectSession({ link, dialect, intake, context, inFlight }, this);
    this.sessions.set(intake.connection, session);
    link.bind({
      dialect,
      encoding: this.encodingOf(dialect, inner.encoding),
      sendCommands: (steps) => session.enqueueCommands(steps),
      findPeer: (name) => this.findPeer(session, name),
    });
    const greeting = dialect.observer?.greeting;
    if (greeting !== undefined && !wasGreeted) session.emit(greeting);
    // Queued posts follow the reply to the first event, which the detector passes on next.
    link.hold();
    this.observers.setDialect(link);
    return session;
  }

  /** Completes a `hello`; a guest who returns by name and address resumes the former user. */
  private async completeHello(
    data: CommandStep['data'],
    session: DialectSession,
  ): Promise<CommandStep['data']> {
    const hello = { ...data, protocol: PROTOCOL_VERSION };
    if (session.dialect.hasNames !== true || typeof data['name'] !== 'string') return hello;
    const guest = await this.guests.resume(this.keyOf(session, data['name']));
    if (guest === null) return hello;
    session.returning = guest;
    return { ...hello, token: (await this.tokens.issue(guest)).token };
  }

  private async afterHello(session: DialectSession, user: User): Promise<void> {
    const { connection, dialect, returning } = session;
    // Clients of a dialect with observers stay observers until they enter the default room.
    if (dialect.observer === undefined) this.observers.remove(session.link);
    await this.guests.markPresent(user, this.keyOf(session), dialect.hasNames === true);
    // The connection may have been closed in the meantime.
    if (!connection.isOpen) this.guests.markAway(user.id);
    if (dialect.hasOneRoom === true) return;
    for (const room of returning?.rooms ?? []) {
      await session.sendSilently({ ask: 'room.join', data: { room } });
    }
    session.returning = null;
  }

  /** Leaves the former rooms of a returning guest, because the page shows one room only. */
  private async leaveOthers(joined: string, session: DialectSession): Promise<void> {
    const { returning } = session;
    if (returning === null || joined === this.context.defaultRoom) return;
    session.returning = null;
    for (const room of returning.rooms) {
      if (room === joined || room === this.context.defaultRoom) continue;
      await session.sendSilently({ ask: 'room.leave', data: { room } });
    }
  }

  /** Enters a direct room on the connections of the other user too, for messages after `seq`. */
  private openForPeer(other: string, opener: string, { room, seq }: ReplyData<'dm.open'>): void {
    for (const session of this.sessions.values()) {
      if (session.link.user?.id !== other) continue;
      const data = { user: opener };
      // Skips connections in the room already: the command would be charged to their rate limit.
      const isFor: CommandStep['isFor'] = ({ rooms }) => !rooms.has(room);
      session.enqueueCommands([{ ask: 'dm.open', data, after: seq, isFor }]);
    }
  }

  private findPeer(asking: DialectSession, name: string): string | null {
    const same = foldDisplayName(name);
    for (const { link, dialect } of this.sessions.values()) {
      if (dialect !== asking.dialect || link.user === null || link === asking.link) continue;
      if (foldDisplayName(link.user.name) === same) return link.user.id;
    }
    return null;
  }

  private keyOf({ dialect, link, connection }: DialectSession, name = link.user?.name): GuestKey {
    const { remoteAddress: address } = connection.handshake;
    return { dialect: dialect.name, name: name ?? '', address };
  }

  private encodingOf(dialect: Dialect, inner: Encoding): DialectEncoding {
    const known = this.encodings.get(dialect) ?? new Map<Encoding, DialectEncoding>();
    this.encodings.set(dialect, known);
    const encoding = known.get(inner) ?? new DialectEncoding(inner, dialect, this.context);
    known.set(inner, encoding);
    return encoding;
  }

  private endSession(link: DialectLink, connection: Connection): void {
    this.observers.remove(link);
    const session = this.sessions.get(connection);
    this.sessions.delete(connection);
    if (session !== undefined) this.dropReturning(session);
    if (link.user !== null) this.guests.markAway(link.user.id);
  }
}

/** Returns whether a dialect claims an event; a dialect that throws does not. */
function isDeclaredBy(dialect: Dialect, event: ClientEvent): boolean {
  try {
    return dialect.declares(event);
  } catch (err) {
    logger.error({ msg: `Dialect ${dialect.name} failed on ${event.event}`, err });
    return false;
  }
}
