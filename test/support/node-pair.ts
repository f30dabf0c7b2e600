import type { AppendedEvent } from '#src/database/write-job.js';
import { Writer } from '#src/database/writer.js';
import { LogFeed } from '#src/store/log-feed.js';

import { startServer, type Extras, type TestServer } from './server.js';

/** Two servers that share a PostgreSQL database, and the bus that a test puts between them. */
export class NodePair {
  /** Frames for each server that the other one has sent while the bus withheld them. */
  readonly withheld = new Map<TestServer, (readonly AppendedEvent[])[]>();
  isWithholding = false;

  private constructor(
    readonly one: TestServer,
    readonly two: TestServer,
  ) {
    for (const [from, to] of [[one, two] as const, [two, one] as const]) {
      this.withheld.set(to, []);
      const committed = (events: readonly AppendedEvent[]) => this.send(to, events);
      from.app.get(Writer).listen({
        committed,
        restored: () => Promise.resolve(() => undefined),
      });
    }
  }

  /** Starts both servers on a new database, the first one first. */
  static async start(
    env: Readonly<Record<string, string>> = {},
    extras: Extras = {},
  ): Promise<NodePair> {
    const shared = { ...extras, isDatabaseShared: true };
    const one = await startServer(env, shared);
    return new NodePair(one, await startServer(one.env, shared));
  }

  /** Withholds all frames from now on; returns those for the second server as they come. */
  withhold(): (readonly AppendedEvent[])[] {
    this.isWithholding = true;
    return this.withheld.get(this.two) ?? [];
  }

  /** Delivers frames to the second server. */
  deliver(...frames: readonly (readonly AppendedEvent[])[]): void {
    for (const events of frames) hear(this.two, events);
  }

  /** Stops both servers and drops their database. */
  async dispose(): Promise<void> {
    await this.two.stop();
    await this.one.dispose();
  }

  private send(to: TestServer, events: readonly AppendedEvent[]): void {
    if (this.isWithholding) this.withheld.get(to)?.push(events);
    else hear(to, events);
  }
}

/** Passes events on as a bus does, as a copy. */
function hear({ app }: TestServer, events: readonly AppendedEvent[]): void {
  app.get(LogFeed).heard(JSON.parse(JSON.stringify(events)) as readonly AppendedEvent[]);
}
