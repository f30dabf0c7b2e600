import { execFileSync } from 'node:child_process';

import { builtProgram } from '../support/built-server.js';
import { TestClient } from '../support/client.js';
import { openWire } from '../support/wire-transports.js';

const TOKEN = /pbt_[\w-]+/;

/** Registers a bot with the command line tool; returns its token. */
export function createBot(name: string, database: Readonly<Record<string, string>>): string {
  const shown = execFileSync(process.execPath, [...builtProgram('bot-create'), name], {
    encoding: 'utf8',
    env: { ...process.env, ...database },
  });
  return TOKEN.exec(shown)?.[0] ?? '';
}

/** A client that retries until each message is stored, across restarts of the server. */
export class StubbornSender {
  private client: TestClient | undefined;
  private token: string | undefined;

  constructor(
    private readonly port: number,
    private readonly room: string,
  ) {}

  /** Returns the open connection, or connects again. */
  async connected(): Promise<TestClient> {
    if (this.client !== undefined && this.client.closedAs === undefined) return this.client;
    const client = await TestClient.connect((listener) =>
      openWire('websocket', this.port, listener),
    );
    const token = this.token === undefined ? {} : { token: this.token };
    await client.ok('hello', { protocol: 1, ...token });
    this.token ??= client.welcome.token;
    await client.ok('room.join', { room: this.room, create: true });
    this.client = client;
    return client;
  }

  /** Sends a message until it is stored. */
  async send(text: string, cid: string): Promise<void> {
    for (;;) {
      try {
        const client = await this.connected();
        await client.ok('message.send', { room: this.room, text, cid });
        return;
      } catch (error) {
        if (this.client?.closedAs === undefined && this.client !== undefined) throw error;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

/** Waits until a bot has written a text; ignores its other messages. */
export async function untilSaid(text: string, client: TestClient): Promise<void> {
  for (let said = ''; said !== text;) {
    const { message } = await client.event(
      'message.created',
      ({ message: { sender } }) => sender.kind === 'bot',
    );
    said = message.text;
  }
}

/** Returns the texts of all bot messages in a room, in order. */
export async function echoesIn(room: string, client: TestClient): Promise<string[]> {
  const texts: string[] = [];
  let after = 0;
  for (;;) {
    const page = { room, after, limit: 100 };
    const { messages, hasMore } = await client.ok('message.history', page);
    texts.push(...messages.filter(({ sender }) => sender.kind === 'bot').map(({ text }) => text));
    after = messages.at(-1)?.seq ?? after;
    if (!hasMore) return texts;
  }
}
