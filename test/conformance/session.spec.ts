import assert from 'node:assert/strict';

import { TestClient } from '../support/client.js';
import { blocks } from '../support/document.js';
import { startServer, type TestServer } from '../support/server.js';
import { OPEN, type Open } from './transports.js';

interface Step {
  readonly sent: Record<string, unknown>;
  readonly expected: Record<string, unknown>[];
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
/** Fields whose values differ each time, or with the settings of the operator. */
const VARIABLE = new Set(['message', 'version', 'token', 'at']);

/** Divides the sample into what is sent and what comes of it. */
function steps(): Step[] {
  const [session] = blocks('session');
  const list: Step[] = [];
  for (const line of session?.text.trim().split('\n') ?? []) {
    const frame = JSON.parse(line.slice(2)) as Record<string, unknown>;
    if (line.startsWith('> ')) list.push({ sent: frame, expected: [] });
    else list.at(-1)?.expected.push(frame);
  }
  return list;
}

/** Compares frames with those of the sample, whose ids stand for those that the server made. */
class Comparison {
  /** Ids and epochs of the server by those of the sample. */
  private readonly actual = new Map<string, string>();

  /** Puts the ids of the server into a frame of the sample. */
  filled(frame: unknown): unknown {
    return JSON.parse(JSON.stringify(frame), (_key, value: unknown) =>
      typeof value === 'string' ? (this.actual.get(value) ?? value) : value,
    );
  }

  /** Checks that a value is that of the sample, but for what differs each time. */
  check(sample: unknown, actual: unknown, path: string): void {
    assert.equal(typeof actual, typeof sample, path);
    if (typeof sample === 'object' && sample !== null && actual !== null) {
      this.checkFields(sample, actual as object, path);
    } else if (typeof sample === 'string' && (UUID.test(sample) || path.endsWith('.epoch'))) {
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

function isVariable(path: string): boolean {
  const field = path.split('.').at(-1) ?? '';
  return path.includes('.limits.') || VARIABLE.has(field) || field.endsWith('At');
}

describe('P-11 the sample session', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(async () => {
    await server.dispose();
  });

  test('goes as it is written', async () => {
    const open: Open = OPEN.websocket;
    const client = await TestClient.connect((listener) => open(server, listener));
    const comparison = new Comparison();
    let events = 0;
    assert(steps().length > 5, 'there is a session');

    for (const { sent, expected } of steps()) {
      client.send(comparison.filled(sent));
      const replies = expected.filter((frame) => 're' in frame);
      assert.equal(replies.length, 1, JSON.stringify(sent));
      comparison.check(replies[0], await client.reply(sent['id']), `re ${String(sent['id'])}`);
      // Events may come before or after the reply (P-3.7), but in the order of the log.
      for (const sample of expected.filter((frame) => 'event' in frame)) {
        const logged = () => client.events().filter(({ event }) => event !== 'presence');
        await client.until(() => logged().length > events, JSON.stringify(sample));
        comparison.check(sample, logged()[events++], String(sample['event']));
      }
    }
    await client.settled();

    assert.equal(client.events().filter(({ event }) => event !== 'presence').length, events);
    await client.close();
    assert.equal(client.closedAs?.code, 1000);
  });
});
