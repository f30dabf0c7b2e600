import type { Random } from '../../support/random.js';
import type { Change, SentMessage } from '../evidence.js';
import type { ChaosClient } from './chaos-client.js';

const EMOJI = ['👍', '🎉'];
const TOO_LONG = 'x'.repeat(5_000);
/** Latest messages of a room, which are changed. */
const CHANGED = 12;

/** Chooses what a client does next. */
export class Actions {
  private count = 0;
  /** Messages with a change of this client under way. */
  private readonly busy = new Set<string>();

  constructor(
    private readonly client: ChaosClient,
    private readonly random: Random,
  ) {}

  /** Does something; resolves when it has ended. */
  async next(): Promise<void> {
    const room = this.random.pick(this.client.rooms);
    const kind = this.random.next();
    const { client } = this;
    if (!client.state.rooms.has(room)) {
      return kind < 0.8 ? client.move('room.join', room) : client.send(this.message(room));
    }
    if (kind < 0.5) return client.send(this.message(room));
    if (kind < 0.52) return client.send(this.message(room, TOO_LONG));
    if (kind < 0.77) return this.change(room, kind);
    if (kind < 0.85) return client.tell('typing.set', { room, active: this.random.chance(0.7) });
    if (kind < 0.9) return client.move('room.leave', room);
    if (kind < 0.92) return client.move('room.join', room);
    if (kind < 0.94) return client.move('room.sync', room);
    if (kind < 0.96) return client.disconnect();
    return client.tell('session.ping', {});
  }

  private message(room: string, suffix = ''): SentMessage {
    const cid = `c${String(++this.count)}`;
    const text = `${cid} ${'y'.repeat(this.random.between(0, 200))}${suffix}`;
    const sender = this.client.state.user;
    return { room, sender, cid, text, attempts: [], outcome: { is: 'unknown' } };
  }

  private async change(room: string, kind: number): Promise<void> {
    const { user, rooms } = this.client.state;
    const latest = [...(rooms.get(room)?.messages ?? [])].slice(-CHANGED);
    const isReaction = kind < 0.64;
    const free = latest.filter(
      ([id, sender]) => !this.busy.has(id) && (isReaction || sender === user),
    );
    if (free.length === 0) return;
    const [message] = this.random.pick(free);
    this.busy.add(message);
    try {
      await (isReaction ? this.react(room, message) : this.rewrite(room, message, kind));
    } finally {
      this.busy.delete(message);
    }
  }

  private react(room: string, message: string): Promise<void> {
    const emoji = this.random.pick(EMOJI);
    const kind = this.random.chance(0.6) ? 'react' : 'unreact';
    const data = { room, message, emoji };
    return this.client.change(`message.${kind}`, data, this.toChange(kind, room, message, emoji));
  }

  private rewrite(room: string, message: string, kind: number): Promise<void> {
    if (kind > 0.74) {
      const change = this.toChange('delete', room, message, '');
      return this.client.change('message.delete', { room, message }, change);
    }
    const text = `edited ${String(++this.count)} by ${this.client.state.user}`;
    const change = this.toChange('edit', room, message, text);
    return this.client.change('message.edit', { room, message, text }, change);
  }

  private toChange(kind: Change['kind'], room: string, message: string, content: string): Change {
    const { user } = this.client.state;
    return { kind, room, user, message, content, outcome: { is: 'unknown' } };
  }
}
