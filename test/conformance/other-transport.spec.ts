import { TestClient } from '../support/client.js';
import { LineTransport, openLines } from '../support/line.transport.js';
import { databaseOfTests, startServer } from '../support/server.js';
import { describeTransport } from './describe-transport.js';
import type { TransportUnderTest } from './suite.js';

// P-10.6: whoever writes a transport proves it like this.
const lines: TransportUnderTest = {
  name: 'lines',
  cannot: {},
  managed: true,
  database: databaseOfTests(),
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

describe('P-10.6 a transport of a third party', () => {
  describeTransport(lines);
});
