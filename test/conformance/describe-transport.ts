import { transportConformance, type TransportUnderTest } from './index.js';

/** Runs every requirement over a transport, as tests of Jest; what cannot be run is listed. */
export function describeTransport(transport: TransportUnderTest): void {
  const { tests, dispose } = transportConformance(transport);
  describe(transport.name, () => {
    afterAll(dispose);
    for (const { title, skipped, run } of tests) {
      if (skipped === undefined) test(title, run);
      else test.skip(`${title} (${skipped})`, () => undefined);
    }
  });
}
