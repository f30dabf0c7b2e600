import { findViolations, type Evidence } from './checker.js';
import type { RoomLedger } from './ledger.js';
import type { RoomReader } from './room-reader.js';
import type { StubbornClient } from './stubborn-client.js';

/** Reads rooms after all writes have ended, and compares them with what the clients recorded. */
export async function checkRooms(
  reader: RoomReader,
  port: number,
  ledgers: readonly RoomLedger[],
  clients: readonly StubbornClient[],
  options: Pick<Evidence, 'mayOvertake'> = {},
): Promise<string[]> {
  const found: string[] = [];
  for (const ledger of ledgers) {
    const { room } = ledger;
    const { log, history } = await reader.read(port, room);
    await Promise.all(clients.map((client) => client.reach(room, log.length)));
    const seen = clients.map((client) => client.logOf(room));
    found.push(...findViolations({ ledger, log, history, seen, ...options }));
  }
  return found;
}
