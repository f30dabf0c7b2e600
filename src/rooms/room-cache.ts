import { LRUCache } from 'lru-cache';

import type { ActiveRoom } from './active-room.js';

/** Cache of rooms: all that are received by a connection, and the most recently used others. */
export class RoomCache {
  private readonly received = new Map<string, ActiveRoom>();
  private readonly others: LRUCache<string, ActiveRoom>;
  /** Ids of the rooms that are received, in memory or not. */
  private readonly receivedIds = new Set<string>();

  /** Calls `evicted` for each room that is removed to make space for another. */
  constructor(max: number, evicted: (id: string) => void) {
    this.others = new LRUCache({
      max,
      dispose: (_room, id, reason) => {
        if (reason === 'evict') evicted(id);
      },
    });
  }

  /** Returns a room if it is in memory, and counts this as a use. */
  find(id: string): ActiveRoom | undefined {
    return this.received.get(id) ?? this.others.get(id);
  }

  /** Adds a room. */
  add(room: ActiveRoom): void {
    if (this.receivedIds.has(room.id)) this.received.set(room.id, room);
    else this.others.set(room.id, room);
  }

  /** Pins a room in memory, or makes it evictable. */
  setReceived(id: string, isReceived: boolean): void {
    const room = this.find(id);
    if (isReceived) this.receivedIds.add(id);
    else this.receivedIds.delete(id);
    if (room === undefined) return;
    this.remove(id);
    this.add(room);
  }

  /** Removes a room that is outdated. */
  remove(id: string): void {
    this.received.delete(id);
    this.others.delete(id);
  }

  /** Returns all rooms in memory. */
  all(): ActiveRoom[] {
    return [...this.received.values(), ...this.others.values()];
  }
}
