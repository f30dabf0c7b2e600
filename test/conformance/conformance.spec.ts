import { remoteWebSocket, transportConformance } from './index.js';
import { TRANSPORTS } from './transports.js';

const target = process.env['TARGET'];
const transports = target === undefined ? TRANSPORTS : [remoteWebSocket(target)];

for (const transport of transports) {
  const { tests, dispose } = transportConformance(transport);
  describe(transport.name, () => {
    afterAll(dispose);
    for (const { title, skipped, run } of tests) {
      if (skipped === undefined) test(title, run);
      else test.skip(`${title} (${skipped})`, () => undefined);
    }
  });
}
