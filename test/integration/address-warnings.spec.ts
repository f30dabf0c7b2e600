import { TestClient } from '../support/client.js';
import { captureErrorLog } from '../support/error-log.js';
import { startServer, type TestServer } from '../support/server.js';
import { openWire } from '../support/wire-transports.js';

const LIMITS = {
  PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS: '2',
  PARLANCE_LIMIT_GUESTS_PER_HOUR: '2',
};

let server: TestServer;

afterEach(() => server.dispose());

/** Opens connections from an address, sends a hello on each, and waits for its answer. */
async function visit(address: string, times: number): Promise<void> {
  const opening = { headers: { 'X-Forwarded-For': address } };
  for (let visit = 0; visit < times; visit++) {
    const client = await TestClient.connect((listener) =>
      openWire('websocket', server.port, listener, opening),
    );
    client.send({ id: 'h', cmd: 'hello', data: { protocol: 1 } });
    await client.until(() => client.frames.length > 0, 'an answer');
  }
}

/** Returns the fields of the warnings about addresses. */
async function warningsOf(act: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const lines = (await captureErrorLog(act)) as [Record<string, unknown>, string][];
  return lines.filter(([, context]) => context === 'Addresses').map(([fields]) => fields);
}

test('connections past the limit of an address are logged once, with the setting', async () => {
  server = await startServer({ ...LIMITS, PARLANCE_TRUST_PROXY: 'loopback' });
  const warnings = await warningsOf(async () => {
    await visit('203.0.113.7', 5);
    await visit('2001:db8:1:2::7', 3);
  });
  expect(warnings.map(({ address, limit, value }) => ({ address, limit, value }))).toEqual([
    { address: '203.0.113.7', limit: 'connectionsPerAddress', value: 2 },
    { address: '2001:db8:1:2::/64', limit: 'connectionsPerAddress', value: 2 },
  ]);
  expect(warnings[0]?.['advice']).toContain('PARLANCE_TRUST_PROXY');
  expect(warnings[0]?.['advice']).toContain('raise PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS');
});

test('an X-Forwarded-For header from an untrusted peer is logged once, with the setting', async () => {
  server = await startServer({ PARLANCE_TRUST_PROXY: '10.0.0.0/8' });
  const warnings = await warningsOf(() => visit('203.0.113.7', 3));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatchObject({ address: '127.0.0.1' });
  expect(warnings[0]?.['advice']).toContain('PARLANCE_TRUST_PROXY=10.0.0.0/8,127.0.0.1');
});

test('new guests past the limit of an address are logged', async () => {
  server = await startServer({
    PARLANCE_LIMIT_GUESTS_PER_HOUR: '2',
    PARLANCE_TRUST_PROXY: 'loopback',
  });
  const warnings = await warningsOf(() => visit('203.0.113.7', 5));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatchObject({ address: '203.0.113.7', limit: 'guestsPerHour', value: 2 });
  expect(warnings[0]?.['advice']).toContain('raise PARLANCE_LIMIT_GUESTS_PER_HOUR');
});
