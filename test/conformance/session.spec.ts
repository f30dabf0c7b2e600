import assert from 'node:assert/strict';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { ChaosProxy } from '../support/chaos-proxy.js';
import { TestClient } from '../support/client.js';
import { blocks, parseExample } from '../support/document.js';
import { startServer, type TestServer } from '../support/server.js';

interface Step {
  readonly sent: Record<string, unknown>;
  readonly expected: Record<string, unknown>[];
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
/** Fields whose values differ each time, or with the settings of the operator. */
const VARIABLE = new Set(['message', 'version', 'at']);

/** Splits a sample into steps: a sent frame and the frames that follow it. */
function steps(sample: string): Step[] {
  const list: Step[] = [];
  for (const line of sample.trim().split('\n')) {
    const frame = parseExample(line.slice(2)) as Record<string, unknown>;
    if (line.startsWith('> ')) list.push({ sent: frame, expected: [] });
    else list.at(-1)?.expected.push(frame);
  }
  return list;
}

/** Compares frames with those of a sample, whose ids stand for the ids of the server. */
class Comparison {
  /** Ids, epochs and tokens of the server, keyed by those of the sample. */
  private readonly actual = new Map<string, string>();

  /** Returns a frame of the sample with the ids of the server. */
  filled(frame: unknown): unknown {
    return JSON.parse(JSON.stringify(frame), (_key, value: unknown) =>
      typeof value === 'string' ? (this.actual.get(value) ?? value) : value,
    );
  }

  /** Checks that a value equals that of the sample, except for variable fields. */
  check(sample: unknown, actual: unknown, path: string): void {
    assert.equal(typeof actual, typeof sample, path);
    if (typeof sample === 'object' && sample !== null && actual !== null) {
      this.checkFields(sample, actual as object, path);
    } else if (typeof sample === 'string' && isGenerated(sample, path)) {
      this.checkId(sample, actual as string, path);
    } else if (!isVariable(path)) {
      assert.equal(actual, sample, path);
    }
  }

  private checkFields(sample: object, actual: object, path: string): void {
    assert.deepEqual(Object.keys(actual).sort(), Object.keys(sample).sort(), path);
    for (const [key, value] of Object.entries(sample)) {
      this.check(value, (actual as Record<string, unknown>)[key], `${path}.${key}`);
    }
  }

  private checkId(sample: string, actual: string, path: string): void {
    const known = this.actual.get(sample);
    if (known === undefined) this.actual.set(sample, actual);
    else assert.equal(actual, known, path);
  }
}

/** Returns whether the server generates a new value for a text in each session. */
function isGenerated(sample: string, path: string): boolean {
  return UUID.test(sample) || path.endsWith('.epoch') || path.endsWith('.token');
}

function isVariable(path: string): boolean {
  const field = path.split('.').at(-1) ?? '';
  return path.includes('.limits.') || VARIABLE.has(field) || field.endsWith('At');
}

/** A client that plays a sample. */
class Player {
  /** Number of log events compared so far. */
  private events = 0;

  constructor(
    readonly client: TestClient,
    private readonly comparison: Comparison,
  ) {}

  async play({ sent, expected }: Step): Promise<void> {
    this.client.send(this.comparison.filled(sent));
    const replies = expected.filter((frame) => 're' in frame);
    assert.equal(replies.length, 1, JSON.stringify(sent));
    const reply = await this.client.reply(sent['id']);
    this.comparison.check(replies[0], reply, `re ${String(sent['id'])}`);
    // Events may come before or after the reply (P-3.7), but in the order of the log.
    for (const sample of expected.filter((frame) => 'event' in frame)) {
      await this.client.until(() => this.logged().length > this.events, JSON.stringify(sample));
      this.comparison.check(sample, this.logged()[this.events++], String(sample['event']));
    }
  }

  /** Checks that no frames arrived beyond those of the sample, and closes. */
  async end(): Promise<void> {
    await this.client.roundTrip();
    assert.equal(this.logged().length, this.events);
    await this.client.close();
    assert.equal(this.client.closedAs?.code, 1000);
  }

  private logged() {
    return this.client.events().filter(({ event }) => event !== 'presence');
  }
}

describe('P-11 the sample session', () => {
  const [first = [], unanswered = [], second = []] = blocks('session').map(({ text }) =>
    steps(text),
  );
  let server: TestServer;
  let proxy: ChaosProxy;

  beforeAll(async () => {
    server = await startServer();
    proxy = await ChaosProxy.start({ host: '127.0.0.1', port: server.port });
  });

  afterAll(async () => {
    await proxy.close();
    await server.dispose();
  });

  const connect = (port: number) =>
    TestClient.connect((listener) => openWebSocket(`ws://127.0.0.1:${String(port)}/ws`, listener));

  test('runs as documented, including the lost connection', async () => {
    assert(first.length > 5 && unanswered.length === 1 && second.length > 1, 'there are sessions');
    const comparison = new Comparison();
    const before = new Player(await connect(proxy.port), comparison);
    for (const step of first) await before.play(step);

    const bob = await connect(server.port);
    await bob.ok('hello', { protocol: 1, name: 'bob' });
    for (const { sent } of unanswered) {
      before.client.send(comparison.filled(sent));
      await before.client.reply(sent['id']);
    }
    proxy.cut();
    await before.client.end();
    await bob.ok('room.join', { room: 'lobby' });
    await bob.ok('message.send', { room: 'lobby', text: 'I am' });

    proxy.repair();
    const after = new Player(await connect(proxy.port), comparison);
    for (const step of second) await after.play(step);
    await after.end();
    await bob.close();
  });
});
