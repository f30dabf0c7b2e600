import { Reader } from '#src/database/reader.js';

import type { TestServer } from './server.js';

/** More than the server has connections to read by; those that come later wait behind these. */
const READS = 16;

/** The reads of a server, held back so that the test decides when the database answers. */
export class HeldReader {
  private constructor(private readonly letGo: () => void) {}

  /** Holds back every read from now on. */
  static of({ app }: TestServer): HeldReader {
    const reader = app.get(Reader);
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    for (let read = 0; read < READS; read++) void reader.snapshot(() => gate);
    return new HeldReader(letGo);
  }

  /** Lets everything go on. */
  release(): void {
    this.letGo();
  }
}
