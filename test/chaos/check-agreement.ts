import type { ReceivedEvent } from '../support/client.js';
import { printOf, roomOf, seqOf } from './event-print.js';
import type { Evidence } from './evidence.js';

interface Witnessed {
  readonly print: string;
  readonly by: string;
}

/** Finds positions of a log at which two observers saw different events. */
export function checkAgreement({ clients, readings }: Evidence): string[] {
  const agreement = new Agreement();
  for (const { node, epoch, log } of readings) {
    for (const event of log) agreement.add(event, epoch, `node ${String(node)}`);
  }
  for (const { name, observations } of clients) {
    const epochs = new Map<string, string>();
    for (const seen of observations) {
      if (seen.is === 'cut') epochs.set(seen.cut.room, seen.cut.epoch);
      if (seen.is === 'page') epochs.set(seen.room, seen.epoch);
      const events = seen.is === 'page' ? seen.events : seen.is === 'event' ? [seen.event] : [];
      for (const event of events) agreement.add(event, epochs.get(roomOf(event) ?? ''), name);
    }
  }
  return [...agreement.violations, ...checkReadings(readings)];
}

/** Finds rooms of which the nodes have different logs at the end. */
function checkReadings(readings: Evidence['readings']): string[] {
  const firsts = new Map<string, Evidence['readings'][number]>();
  const found: string[] = [];
  for (const reading of readings) {
    const { node, room, epoch, log } = reading;
    const first = firsts.get(room) ?? reading;
    firsts.set(room, first);
    const nodes = `node ${String(first.node)} and node ${String(node)}`;
    if (first.epoch !== epoch) found.push(`${nodes} have different epochs of ${room}`);
    if (first.log.length === log.length) continue;
    const lengths = `${String(first.log.length)} and ${String(log.length)}`;
    found.push(`${nodes} have logs of ${room} of different length: ${lengths} events`);
  }
  return found;
}

class Agreement {
  readonly violations: string[] = [];
  private readonly witnessed = new Map<string, Witnessed>();

  add(event: ReceivedEvent, epoch: string | undefined, by: string): void {
    const seq = seqOf(event);
    if (seq === undefined || epoch === undefined) return;
    const place = `${String(seq)} of ${String(roomOf(event))}`;
    const key = `${epoch} ${place}`;
    const print = printOf(event);
    const first = this.witnessed.get(key);
    if (first === undefined) this.witnessed.set(key, { print, by });
    else if (first.print !== print) {
      this.violations.push(
        `${first.by} saw "${first.print}" at ${place}, but ${by} saw "${print}"`,
      );
    }
  }
}
