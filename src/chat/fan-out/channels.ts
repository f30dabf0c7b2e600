import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import { ActiveRooms } from '../../rooms/active-rooms.js';
import { Channel } from './channel.js';

/** A channel with the number of members of its room. */
export interface CountedChannel {
  readonly channel: Channel;
  readonly memberCount: number;
}

/** The channels of all rooms that some connection receives. */
@Injectable()
export class Channels {
  private readonly channels = new Map<string, Channel>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly activeRooms: ActiveRooms,
  ) {}

  /** Finds the channel of a room; undefined if no connection receives the room. */
  find(log: string): Channel | undefined {
    return this.channels.get(log);
  }

  /** Finds the channel of a room with the number of members. */
  findCounted(log: string): CountedChannel | undefined {
    const channel = this.channels.get(log);
    if (channel === undefined) return undefined;
    // Only if the database has lost events is the room not in memory; events then carry no names.
    const memberCount = this.activeRooms.peek(log)?.info.memberCount ?? Infinity;
    return { channel, memberCount };
  }

  /** Returns the channel of a room, and keeps the room in memory while the channel exists. */
  open(log: string): Channel {
    let channel = this.channels.get(log);
    if (channel === undefined) {
      channel = new Channel(this.config.limits);
      this.channels.set(log, channel);
      this.activeRooms.setReceived(log, true);
    }
    return channel;
  }

  /** Removes the channel of a room that no connection receives any more. */
  close(log: string): void {
    this.channels.delete(log);
    this.activeRooms.setReceived(log, false);
  }
}
