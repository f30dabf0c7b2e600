import type { ReplyData } from '#src/protocol/commands.js';

import { WireSession } from '../../crash/wire-session.js';
import type { Channel, ChannelListener } from '../../support/channel.js';
import type { ReceivedEvent, Reply } from '../../support/client.js';
import { roomOf } from '../event-print.js';
import type { Observation } from '../evidence.js';
import { FollowedRoom } from './followed-room.js';

/** State that a client keeps across connections. */
export interface ClientState {
  token: string | undefined;
  user: string;
  readonly name: string;
  readonly rooms: Map<string, FollowedRoom>;
  readonly observations: Observation[];
}

/** A way to connect to a node. */
export interface Address {
  /** Number of the node. */
  readonly node: number;
  open(listener: ChannelListener): Promise<Channel>;
}

/** A connection of a client, which records what arrives, in the order of arrival. */
export class ChaosConnection {
  private constructor(
    /** Number of the connection among all of the run. */
    readonly id: number,
    private readonly state: ClientState,
    private readonly onProgress: () => void,
  ) {}

  private session: WireSession | undefined;

  /** Connects, says hello, and catches up with the rooms of the client. */
  static async open(
    id: number,
    address: Address,
    state: ClientState,
    onProgress: () => void,
  ): Promise<ChaosConnection> {
    const connection = new ChaosConnection(id, state, onProgress);
    connection.session = await WireSession.open(
      (listener) => address.open(listener),
      (event) => connection.onEvent(event),
    );
    connection.see({ is: 'opened', node: address.node });
    try {
      await connection.hello();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.session?.closedAs === undefined;
  }

  /** Waits for the end of the connection. */
  async ended(): Promise<void> {
    await this.session?.ended();
    this.see({ is: 'closed' });
  }

  close(): void {
    this.session?.close();
  }

  /** Sends a command; calls `onReply` before any later frame is read. */
  call(cmd: string, data: object, onReply?: (reply: Reply) => void): Promise<Reply> {
    if (this.session === undefined) throw new Error('The connection is not open.');
    return this.session.call(cmd, data, onReply);
  }

  /** Joins a room, or only gets a new cut of it. */
  async join(room: string, cmd: 'room.join' | 'room.sync'): Promise<Reply> {
    const data = cmd === 'room.join' ? { room, create: true } : { room };
    return this.call(cmd, data, (reply) => {
      if (!reply.ok) return;
      const cut = reply.data as ReplyData<'room.join'>;
      this.see({ is: 'cut', cut });
      this.state.rooms.set(room, new FollowedRoom(cut.epoch, cut.seq));
    });
  }

  /** Leaves a room. */
  async leave(room: string): Promise<Reply> {
    return this.call('room.leave', { room }, (reply) => {
      if (!reply.ok) return;
      const { seq } = reply.data as ReplyData<'room.leave'>;
      this.see({ is: 'left', room, seq });
      this.state.rooms.delete(room);
    });
  }

  private async hello(): Promise<void> {
    const { token, name, rooms } = this.state;
    const resume = Object.fromEntries(
      [...rooms].map(([id, { epoch, seq }]) => [id, { epoch, seq }]),
    );
    const identity = token === undefined ? { name } : { token };
    const behind: string[] = [];
    const reply = await this.call('hello', { protocol: 1, ...identity, resume }, (answer) => {
      if (answer.ok) this.welcome(answer.data as ReplyData<'hello'>, behind);
    });
    if (!reply.ok) throw new Error(`hello: ${reply.error.code}`);
    for (const room of behind) await this.catchUp(room);
  }

  private welcome({ token, user, resumed }: ReplyData<'hello'>, behind: string[]): void {
    this.state.token = token;
    this.state.user = user.id;
    for (const [room, outcome] of Object.entries(resumed)) {
      if (outcome.complete) this.see({ is: 'resumed', room, seq: outcome.seq });
      else if (outcome.reason === 'behind') behind.push(room);
      else this.drop(room, outcome.reason);
    }
  }

  private async catchUp(room: string): Promise<void> {
    for (let isLast = false; !isLast;) {
      const followed = this.state.rooms.get(room);
      if (followed === undefined) return;
      const { epoch, seq: after } = followed;
      const reply = await this.call('room.sync', { room, epoch, after }, (answer) => {
        if (answer.ok) isLast = this.page(room, answer.data as ReplyData<'room.sync'>);
      });
      if (reply.ok) continue;
      if (reply.error.code !== 'not_member') throw new Error(`room.sync: ${reply.error.code}`);
      this.drop(room, 'not_found');
    }
  }

  /** Adds a page; returns whether nothing follows it. */
  private page(room: string, page: ReplyData<'room.sync'>): boolean {
    if (!('complete' in page) || !page.complete) {
      this.drop(room, 'reason' in page ? page.reason : 'no page');
      return true;
    }
    const { epoch, seq, hasMore } = page;
    const events = page.events as ReceivedEvent[];
    this.see({ is: 'page', room, epoch, seq, events, isLast: !hasMore });
    for (const event of events) this.apply(room, event);
    return !hasMore;
  }

  /** Forgets a room that the server does not continue. */
  private drop(room: string, reason: string): void {
    this.state.rooms.delete(room);
    const isExpelled = reason === 'not_found';
    this.see(isExpelled ? { is: 'expelled', room } : { is: 'lost', room, reason });
  }

  private onEvent(event: ReceivedEvent): void {
    const room = roomOf(event);
    if (room === undefined || room === '@me') return;
    this.see({ is: 'event', event });
    this.apply(room, event);
  }

  private apply(room: string, event: ReceivedEvent): void {
    const isMember = this.state.rooms.get(room)?.apply(event, this.state.user) ?? true;
    if (!isMember) this.state.rooms.delete(room);
    this.onProgress();
  }

  private see(observation: Observation): void {
    this.state.observations.push(observation);
  }
}
