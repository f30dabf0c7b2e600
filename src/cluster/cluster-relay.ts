import { Injectable } from '@nestjs/common';

import type { ClusterLink } from '../bus/cluster-link.js';
import type { Ephemeral } from '../bus/frames.js';
import { TypingAnnouncer } from '../chat/fan-out/typing-announcer.js';
import type { ClusterPort } from '../chat/ports/cluster-port.js';
import type { AppendedEvent } from '../database/write-job.js';
import type { User } from '../protocol/models.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import type { FeedListener } from '../store/log-feed.js';
import { LogFeed } from '../store/log-feed.js';

/** Name of the ephemeral. */
const TYPING = 'typing';

interface Typing {
  readonly user: User;
  readonly isActive: boolean;
}

/** Carries between servers what is in no log. */
@Injectable()
export class ClusterRelay implements ClusterPort, FeedListener {
  private link: ClusterLink | undefined;

  constructor(
    private readonly rooms: ActiveRooms,
    private readonly feed: LogFeed,
    private readonly announcer: TypingAnnouncer,
  ) {}

  /** Sends over a link from now on. */
  connect(link: ClusterLink): void {
    this.link = link;
  }

  isBusAway(): boolean {
    return this.link?.isAway ?? true;
  }

  typing(id: string, user: User, isActive: boolean): void {
    const room = this.rooms.peek(id);
    if (room === undefined) return;
    const data: Typing = { user, isActive };
    const { epoch, head } = room;
    this.link?.sendEphemeral({ room: id, epoch, head, type: TYPING, data });
  }

  /** Announces a mark of another server, once this one knows what that one knew of the room. */
  heard({ room, epoch, head, type, data }: Ephemeral): void {
    if (type !== TYPING || this.rooms.peek(room)?.epoch !== epoch) return;
    const { user, isActive } = data as Typing;
    const announce = (): void => {
      // The user may have left meanwhile.
      const isMember = this.rooms.peek(room)?.members.has(user.id) === true;
      if (isMember) this.announcer.changed(room, user, isActive, true);
    };
    const filled = this.feed.reach(room, head);
    if (filled === undefined) announce();
    // The mark is lost if the log cannot be read, as any ephemeral may be.
    else filled.then(announce, () => undefined);
  }

  /** A message ends the mark of its sender (P-7.5), who may be connected to another server. */
  committed(events: readonly AppendedEvent[]): void {
    if (this.link === undefined) return;
    for (const { log, event } of events) {
      if (event.event === 'message.created')
        this.announcer.forget(log, event.data.message.sender.id);
    }
  }
}
