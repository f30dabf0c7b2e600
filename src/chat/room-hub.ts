import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Writer, type AppendedEvent, type CommitListener } from '../database/writer.js';
import { CloseCode } from '../protocol/close-codes.js';
import { ProtocolError } from '../protocol/errors.js';
import type { LogEvent } from '../protocol/events.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { ownerOfLog } from '../users/actor.js';
import { Attachment } from './attachment.js';
import type { Call } from './call.js';
import { Channel } from './channel.js';
import type { Connection } from './connection.js';
import { Presence } from './presence.js';
import { PresentUsers } from './present-users.js';
import type { Prepared } from './transport.js';

/** Who receives which room, and the fan-out of what is committed (P-5.3, P-5.8). */
@Injectable()
export class RoomHub implements CommitListener {
  private readonly channels = new Map<string, Channel>();

  // The active rooms listen first: a cut is never older than an event that was sent before it.
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(ActiveRooms) activeRooms: ActiveRooms,
    @Inject(Presence) private readonly presence: Presence,
    @Inject(PresentUsers) private readonly users: PresentUsers,
    @Inject(Writer) writer: Writer,
  ) {
    writer.listen(this);
    presence.use((log) => {
      const channel = this.channels.get(log);
      if (channel === undefined) return undefined;
      const memberCount = activeRooms.peek(log)?.info.memberCount ?? channel.userCount;
      return { channel, memberCount };
    });
  }

  /**
   * Refuses one room too many, before anything is done (P-9.6).
   *
   * @throws ProtocolError `limit_reached`
   */
  requireRoomFor(connection: Connection, log: string): void {
    if (this.hasRoomFor(connection, log)) return;
    const { roomsPerConnection: value } = this.config.limits;
    throw new ProtocolError('limit_reached', { details: { limit: 'roomsPerConnection', value } });
  }

  /** Tells whether a connection may receive one more room. */
  hasRoomFor({ attachments }: Connection, log: string): boolean {
    return attachments.has(log) || attachments.size < this.config.limits.roomsPerConnection;
  }

  /** Makes a connection receive a room from now on; events wait until the call is answered. */
  attach(call: Call, log: string, first: readonly Prepared[] = []): void {
    const { connection } = call;
    if (!connection.isOpen) return;
    let attachment = connection.attachments.get(log);
    if (attachment === undefined) {
      attachment = new Attachment(connection);
      connection.attachments.set(log, attachment);
      if (this.channel(log).add(attachment, call.actor.id)) {
        this.presence.changed(log, call.actor.id, true);
      }
    }
    attachment.hold();
    for (const prepared of first) attachment.deliver(prepared);
    const held = attachment;
    call.afterReply(() => held.release());
  }

  /** Ends the reception of a room. */
  detach(connection: Connection, log: string): void {
    const attachment = connection.attachments.get(log);
    const channel = this.channels.get(log);
    const user = connection.session?.user;
    if (attachment === undefined || channel === undefined || user === undefined) return;
    attachment.release();
    connection.attachments.delete(log);
    if (channel.remove(attachment, user.id)) {
      this.presence.changed(log, user.id, false);
      user.stopTyping(log);
    }
    if (channel.isEmpty) this.channels.delete(log);
  }

  /** Ends all that a connection receives. */
  detachAll(connection: Connection): void {
    for (const log of [...connection.attachments.keys()]) this.detach(connection, log);
  }

  /** Finds the channel of a room that somebody receives. */
  find(log: string): Channel | undefined {
    return this.channels.get(log);
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

  /** What is in memory is worth nothing: everybody comes back and resumes (P-5.15). */
  lost(): void {
    for (const connection of this.users.connections()) {
      connection.bye(CloseCode.resync, 'the database was lost for a moment');
    }
  }

  private publish(log: string, events: readonly LogEvent[]): void {
    const owner = ownerOfLog(log);
    if (owner !== null) {
      this.publishToUser(owner, events);
      return;
    }
    const channel = this.channels.get(log);
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
      for (const connection of this.users.find(id)?.connections ?? []) {
        const prepared = connection.prepare(event.event, event.data);
        if (prepared !== null) connection.own.deliver(prepared, event.data.seq);
      }
    }
  }

  private detachUser(id: string, log: string): void {
    for (const connection of this.users.find(id)?.connections ?? []) this.detach(connection, log);
  }

  private channel(log: string): Channel {
    let channel = this.channels.get(log);
    if (channel === undefined) {
      channel = new Channel(this.config.limits);
      this.channels.set(log, channel);
    }
    return channel;
  }
}
