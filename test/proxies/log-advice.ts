import { captureErrorLog } from '../support/error-log.js';
import { tryUpgrade } from '../support/raw-websocket.js';

/** The result of an attempt to connect through a badly configured proxy. */
export interface BadSetup {
  readonly path: string;
  readonly status: number;
  /** Parts of the line that the log of the server says. */
  readonly msg: string;
  readonly advice: string;
}

/** Expects an upgrade, as a page of the proxy tries it, to be refused and to be explained in the log. */
export async function expectAdvice(url: string, expected: BadSetup): Promise<void> {
  let status = 0;
  const logged = (await captureErrorLog(async () => {
    ({ status } = await tryUpgrade(url + expected.path, { origin: url }));
  })) as [{ msg: string; advice: string }][];

  expect({ status, lines: logged.map(([line]) => line) }).toEqual({
    status: expected.status,
    lines: [
      expect.objectContaining({
        msg: expect.stringContaining(expected.msg) as string,
        advice: expect.stringContaining(expected.advice) as string,
      }),
    ],
  });
}
