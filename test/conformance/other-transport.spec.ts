import { TestClient } from '../support/client.js';
import { LineTransport, openLines } from '../support/line.transport.js';
import { startServer } from '../support/server.js';
import { transportConformance, type TransportUnderTest } from './index.js';

// P-10.6: whoever writes a transport proves it like this.
const lines: TransportUnderTest = {
  name: 'lines',
  cannot: {},
  managed: true,
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
  const { tests, dispose } = transportConformance(lines);
  afterAll(dispose);

  test.each(tests.map((one) => [one.title, one] as const))('%s', async (_title, { run }) => run());
});
