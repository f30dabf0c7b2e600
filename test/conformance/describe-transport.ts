import { transportConformance, type TransportUnderTest } from './index.js';

/** Registers the requirements for a transport as Jest tests, and skips those that cannot run. */
export function describeTransport(transport: TransportUnderTest, scope?: 'binding'): void {
  const { tests, dispose } = transportConformance(transport, scope);
  describe(transport.name, () => {
    afterAll(dispose);
    for (const { title, skipped, run } of tests) {
      if (skipped === undefined) test(title, run);
      else test.skip(`${title} (${skipped})`, () => undefined);
    }
  });
}
