import { TestClient } from '../support/client.js';
import { LineTransport, openLines } from '../support/line.transport.js';
import { testDatabase, startServer } from '../support/server.js';
import { describeTransport } from './describe-transport.js';
import type { TransportUnderTest } from './suite.js';

// P-10.6: authors of a transport test it like this.
const lines: TransportUnderTest = {
  name: 'lines',
  cannot: {},
  managed: true,
  database: testDatabase(),
  start: async (env) => {
    const transport = new LineTransport();
    const server = await startServer(env, { transports: [transport] });
    return {
      server,
      connect: (opening) =>
        TestClient.connect((listener) => openLines(transport.port, listener, opening)),
      dispose: () => server.dispose(),
    };
  },
};

describe('P-10.6 a third-party transport', () => {
  describeTransport(lines, 'binding');
});
