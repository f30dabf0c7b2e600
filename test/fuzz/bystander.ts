import { setTimeout as delay } from 'node:timers/promises';

import type { ReplyData } from '#src/protocol/commands.js';

import { WireSession } from '../crash/wire-session.js';
import type { ReceivedEvent } from '../support/client.js';
import { Conditions } from '../support/conditions.js';
import { openWire, type WireTransport } from '../support/wire-transports.js';

const SEEN_MS = 15_000;
const PACE_MS = 20;

/** A user who chats during the fuzzing: each message must be acknowledged and delivered. */
export class Bystander {
  /** Cids of the acknowledged messages. */
  readonly acknowledged: string[] = [];
  /** Ids of the received messages, in order of arrival. */
  readonly seen: string[] = [];
  problem: string | undefined;
  private readonly conditions = new Conditions();
  private readonly cids = new Set<string>();
  private session!: WireSession;
  private isStopping = false;
  private done: Promise<void> = Promise.resolve();

  private constructor(
    private readonly name: string,
    private readonly room: string,
  ) {}

  /** Connects a new bystander and joins a room. */
  static async join(transport: WireTransport, port: number, room: string): Promise<Bystander> {
    const bystander = new Bystander(transport, room);
    bystander.session = await WireSession.open(
      (listener) => openWire(transport, port, listener),
      (event) => bystander.onEvent(event),
    );
    await bystander.call('hello', { protocol: 1, name: 'bystander' });
    await bystander.call('room.join', { room, create: true });
    return bystander;
  }

  /** Starts to chat. */
  start(): void {
    this.done = this.chat().catch((error: unknown) => {
      this.problem = `${this.name}: ${String(error)}`;
    });
  }

  /** Stops the chat and waits until its last message was seen. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.done;
  }

  /** Waits until the message with a cid has arrived, whoever sent it. */
  async see(cid: string): Promise<void> {
    await this.conditions.until(() => this.cids.has(cid), `${this.name} to see ${cid}`, SEEN_MS);
  }

  close(): void {
    this.session.close();
  }

  private async chat(): Promise<void> {
    while (!this.isStopping) {
      const cid = `${this.name}-${String(this.acknowledged.length)}`;
      await this.call('message.send', { room: this.room, text: cid, cid });
      this.acknowledged.push(cid);
      await this.see(cid);
      // Without a pause, the chat would be most of the load.
      await delay(PACE_MS);
    }
  }

  private async call(cmd: string, data: object): Promise<unknown> {
    const reply = await this.session.call(cmd, data);
    if (!reply.ok) throw new Error(`${cmd}: ${JSON.stringify(reply.error)}`);
    return reply.data;
  }

  private onEvent({ event, data }: ReceivedEvent): void {
    if (event === 'bye' || event === 'error')
      this.problem = `${this.name}: ${JSON.stringify(data)}`;
    if (event !== 'message.created' || data['room'] !== this.room) return;
    const { message } = data as unknown as ReplyData<'message.send'>;
    this.seen.push(message.id);
    if (message.cid !== undefined) this.cids.add(message.cid);
    this.conditions.wake();
  }
}
