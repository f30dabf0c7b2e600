import type { ReceivedEvent } from '../support/client.js';
import { isLeaveOf, roomOf, seqOf } from './event-print.js';
import type { ClientRecord, Evidence, Observation } from './evidence.js';

/** Finds holes, repeats and steps back in what the clients received, and events after a leave. */
export function checkStreams({ clients, readings }: Evidence): string[] {
  const heads = new Map(readings.map(({ room, log }) => [room, log.length]));
  return clients.flatMap((client) => {
    const streams = new ClientStreams(client);
    for (const seen of client.observations) streams.observe(seen);
    streams.end(heads);
    return streams.violations;
  });
}

/** State of one room, as one client knows it. */
class RoomStream {
  epoch: string | undefined;
  position = 0;
  /** Whether the connection receives the room. */
  isAttached = false;
  /** Position that the missed events of a resume have to reach. */
  owed = 0;
  /** Position of the end of the membership; undefined while the user is a member. */
  leftAt: number | undefined;
  /** Whether the connection has received its own `member.left`. */
  hasSeenLeave = false;
}

/** Follows the rooms of one client over all its connections. */
class ClientStreams {
  readonly violations: string[] = [];
  private readonly rooms = new Map<string, RoomStream>();

  constructor(private readonly client: ClientRecord) {}

  observe(seen: Observation): void {
    switch (seen.is) {
      case 'opened':
      case 'closed':
        for (const stream of this.rooms.values()) stream.isAttached = false;
        break;
      case 'cut':
        this.cut(seen.cut);
        break;
      case 'resumed':
        Object.assign(this.stream(seen.room), { isAttached: true, owed: seen.seq });
        break;
      case 'page':
        this.page(seen);
        break;
      case 'lost':
        this.add(`could not continue in ${seen.room}: ${seen.reason}`);
        this.rooms.delete(seen.room);
        break;
      case 'event':
        this.event(seen.event);
        break;
      case 'left':
        this.stream(seen.room).leftAt = seen.seq;
        break;
      case 'expelled':
        this.stream(seen.room).leftAt = this.stream(seen.room).position;
        break;
    }
  }

  /** Finds what attached connections never received. */
  end(heads: ReadonlyMap<string, number>): void {
    for (const [room, { isAttached, position, leftAt, owed }] of this.rooms) {
      const goal = Math.max(owed, leftAt ?? heads.get(room) ?? 0);
      if (!isAttached || position >= goal) continue;
      this.add(`stopped at ${String(position)} of ${String(goal)} in ${room}`);
    }
  }

  private cut({ room, epoch, seq }: { room: string; epoch: string; seq: number }): void {
    const stream = this.stream(room);
    this.expectEpoch(room, stream, epoch);
    if (seq < stream.position) {
      this.add(`got a cut of ${room} at ${String(seq)} after ${String(stream.position)}`);
    }
    const joined = { leftAt: undefined, hasSeenLeave: false };
    Object.assign(stream, { ...joined, epoch, position: seq, isAttached: true, owed: seq });
  }

  private page({ room, epoch, seq, events, isLast }: Observation & { is: 'page' }): void {
    const stream = this.stream(room);
    this.expectEpoch(room, stream, epoch);
    for (const event of events) this.advance(room, stream, event);
    if (stream.position !== seq) {
      const end = `${String(stream.position)}, but says ${String(seq)}`;
      this.add(`got a page of ${room} that ends at ${end}`);
    }
    if (isLast) stream.isAttached = true;
  }

  private event(event: ReceivedEvent): void {
    const room = roomOf(event);
    if (room === undefined || room === '@me') return;
    const stream = this.stream(room);
    const what = `${event.event} ${seqOf(event) === undefined ? 'in' : `${String(seqOf(event))} of`} ${room}`;
    const isAfterLeave = stream.leftAt !== undefined && (seqOf(event) ?? 0) > stream.leftAt;
    if (stream.hasSeenLeave || isAfterLeave) this.add(`received ${what} after it had left`);
    else if (!stream.isAttached) this.add(`received ${what} without being attached`);
    if (seqOf(event) !== undefined) this.advance(room, stream, event);
  }

  private advance(room: string, stream: RoomStream, event: ReceivedEvent): void {
    const seq = seqOf(event) ?? 0;
    const { position } = stream;
    const steps = `${String(seq)} of ${room} after ${String(position)}`;
    if (seq === position) this.add(`received ${String(seq)} of ${room} twice`);
    else if (seq < position) this.add(`stepped back to ${steps}`);
    else if (seq > position + 1) this.add(`missed events: it received ${steps}`);
    stream.position = Math.max(seq, position);
    if (!isLeaveOf(event, this.client.user)) return;
    stream.leftAt = seq;
    stream.hasSeenLeave = true;
    stream.isAttached = false;
  }

  private expectEpoch(room: string, stream: RoomStream, epoch: string): void {
    if (stream.epoch === undefined || stream.epoch === epoch) return;
    this.add(`got another epoch of ${room}: ${epoch} after ${stream.epoch}`);
  }

  private stream(room: string): RoomStream {
    const stream = this.rooms.get(room) ?? new RoomStream();
    this.rooms.set(room, stream);
    return stream;
  }

  private add(what: string): void {
    this.violations.push(`${this.client.name} ${what}`);
  }
}
