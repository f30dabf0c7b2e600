import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import type { AppendedEvent } from '../../database/write-job.js';
import { CloseCode } from '../../protocol/close-codes.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { LogEvent } from '../../protocol/events.js';
import { ownerOfLog } from '../../store/actor.js';
import type { FeedListener } from '../../store/log-feed.js';
import type { Call } from '../connections/call.js';
import type { Connection } from '../connections/connection.js';
import { PresentUsers } from '../connections/present-users.js';
import type { Prepared } from '../connections/transport.js';
import { Attachment } from './channel.js';
import { Channels } from './channels.js';
import { Presence } from './presence.js';

/** Knows which connection receives which room, and sends out what is committed (P-5.3, P-5.8). */
@Injectable()
export class RoomHub implements FeedListener {
  /** The rooms that each connection receives, by log; connections without rooms are absent. */
  private readonly attachments = new Map<Connection, Map<string, Attachment>>();
  /** Events of users' own logs that wait for the reply to hello (P-5.14). */
  private readonly heldOwn = new Map<Connection, Attachment>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly channels: Channels,
    private readonly presence: Presence,
    private readonly users: PresentUsers,
  ) {}

  /**
   * Requires that a connection may receive one more room, before anything is written (P-9.6).
   *
   * @throws ProtocolError `limit_reached`
   */
  requireCapacity(connection: Connection, log: string): void {
    if (this.hasCapacity(connection, log)) return;
    const { roomsPerConnection: value } = this.config.limits;
    throw new ProtocolError('limit_reached', { details: { limit: 'roomsPerConnection', value } });
  }

  /** Returns whether a connection receives a room already, or may receive one more. */
  hasCapacity(connection: Connection, log: string): boolean {
    const rooms = this.attachments.get(connection);
    if (rooms === undefined) return this.config.limits.roomsPerConnection > 0;
    return rooms.has(log) || rooms.size < this.config.limits.roomsPerConnection;
  }

  /** Returns whether a connection receives a room. */
  isAttached(connection: Connection, log: string): boolean {
    return this.attachments.get(connection)?.has(log) === true;
  }

  /** Starts to send a room to a connection; events are held until the call is answered. */
  attach(call: Call, log: string, first: readonly Prepared[] = []): void {
    const { connection } = call;
    if (!connection.isOpen) return;
    const attachment = this.attachmentOf(call, log);
    attachment.hold();
    for (const prepared of first) attachment.deliver(prepared);
    call.afterReply(() => attachment.release());
  }

  /** Holds the events of the user's own log until the call, a hello, is answered. */
  attachOwn(call: Call): void {
    const { connection } = call;
    const held = new Attachment(connection);
    this.heldOwn.set(connection, held);
    call.afterReply(() => {
      if (this.heldOwn.delete(connection)) held.release();
    });
  }

  /** Drops held events of the own log, up to a position; returns the latest that was held. */
  dropOwn(connection: Connection, upTo: number): number {
    return this.heldOwn.get(connection)?.drop(upTo) ?? 0;
  }

  /** Inserts missed events of the own log, up to a position, before the held ones after it. */
  prependOwn(connection: Connection, missed: readonly Prepared[], upTo: number): void {
    this.heldOwn.get(connection)?.prepend(missed, upTo);
  }

  /** Stops sending a room to a connection. */
  detach(connection: Connection, log: string): void {
    const rooms = this.attachments.get(connection);
    const attachment = rooms?.get(log);
    const channel = this.channels.find(log);
    const user = connection.session?.user;
    if (rooms === undefined || attachment === undefined) return;
    if (channel === undefined || user === undefined) return;
    attachment.release();
    rooms.delete(log);
    if (rooms.size === 0) this.attachments.delete(connection);
    if (channel.remove(attachment, user.id)) {
      this.presence.changed(log, user.id, false);
      user.stopTyping(log);
    }
    if (channel.isEmpty) this.channels.close(log);
  }

  /** Stops sending anything to a connection. */
  detachAll(connection: Connection): void {
    this.heldOwn.delete(connection);
    const rooms = this.attachments.get(connection);
    if (rooms === undefined) return;
    for (const log of [...rooms.keys()]) this.detach(connection, log);
  }

  committed(events: readonly AppendedEvent[]): void {
    const byLog = new Map<string, LogEvent[]>();
    for (const { log, event } of events) {
      const list = byLog.get(log);
      if (list === undefined) byLog.set(log, [event]);
      else list.push(event);
    }
    for (const [log, list] of byLog) this.publish(log, list);
  }

  /** Closes the connections that receive a log of which the database has lost events (P-5.15). */
  reverted(log: string): void {
    const owner = ownerOfLog(log);
    const receivers =
      owner === null
        ? (this.channels.find(log)?.connections() ?? [])
        : this.users.connectionsOf(owner);
    for (const connection of [...receivers]) {
      connection.bye(CloseCode.resync, 'the database went back to an earlier state');
    }
  }

  private attachmentOf({ connection, actor }: Call, log: string): Attachment {
    let rooms = this.attachments.get(connection);
    if (rooms === undefined) {
      rooms = new Map();
      this.attachments.set(connection, rooms);
    }
    let attachment = rooms.get(log);
    if (attachment === undefined) {
      attachment = new Attachment(connection);
      rooms.set(log, attachment);
      if (this.channels.open(log).add(attachment, actor.id)) {
        this.presence.changed(log, actor.id, true);
      }
    }
    return attachment;
  }

  private publish(log: string, events: readonly LogEvent[]): void {
    const owner = ownerOfLog(log);
    if (owner !== null) {
      this.publishToUser(owner, events);
      return;
    }
    const channel = this.channels.find(log);
    if (channel === undefined) return;
    let batch: LogEvent[] = [];
    for (const event of events) {
      batch.push(event);
      if (event.event !== 'member.left') continue;
      channel.send(batch);
      batch = [];
      this.detachUser(event.data.user.id, log);
    }
    if (batch.length > 0) channel.send(batch);
  }

  private publishToUser(id: string, events: readonly LogEvent[]): void {
    for (const event of events) {
      if (event.event === 'user.updated') this.users.rename(event.data.user);
      for (const connection of this.users.connectionsOf(id)) {
        const prepared = connection.prepare(event.event, event.data);
        if (prepared === null) continue;
        const held = this.heldOwn.get(connection);
        if (held === undefined) connection.push(prepared);
        else held.deliver(prepared, event.data.seq);
      }
    }
  }

  private detachUser(id: string, log: string): void {
    for (const connection of this.users.connectionsOf(id)) this.detach(connection, log);
  }
}
