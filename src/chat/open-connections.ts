import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Writer } from '../database/writer.js';
import { AddressLimit, type ConnectionSlot } from '../limits/address-limit.js';
import { AddressWarnings } from '../limits/address-warnings.js';
import { CloseCode } from '../protocol/close-codes.js';
import type { CommandIntake } from './commands/command-intake.js';
import type { Connection } from './connections/connection.js';
import { SlowReaders } from './connections/slow-readers.js';
import { DIALECT_PORT, type DialectPort } from './ports/dialect-port.js';
import { SessionsService } from './sessions/sessions.service.js';

const CHECK_MS = 250;

/** All open connections: counts them by address, and checks their deadlines regularly. */
@Injectable()
export class OpenConnections implements OnModuleDestroy {
  private readonly intakes = new Map<Connection, CommandIntake>();
  /** Slots of connections whose transport has not reserved one itself. */
  private readonly slots = new Map<Connection, ConnectionSlot>();
  private readonly addresses: AddressLimit;
  private timer: NodeJS.Timeout | undefined;
  private onEmpty: (() => void) | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly sessions: SessionsService,
    private readonly slowReaders: SlowReaders,
    @Inject(DIALECT_PORT) private readonly dialects: DialectPort | null,
    warnings: AddressWarnings,
  ) {
    this.addresses = new AddressLimit(config.limits.connectionsPerAddress, (address) =>
      warnings.atLimit(address, 'connectionsPerAddress'),
    );
  }

  onModuleDestroy(): void {
    this.stop();
  }

  /** Returns all open connections. */
  all(): Iterable<Connection> {
    return this.intakes.keys();
  }

  /** Returns the intake of an open connection. */
  intakeOf(connection: Connection): CommandIntake | undefined {
    return this.intakes.get(connection);
  }

  /** Reserves a slot before there is a connection; null if the address has too many (P-9.11). */
  reserve(address: string): ConnectionSlot | null {
    return this.addresses.acquireOrExceed(address);
  }

  /** Adds a connection; returns false if its address has too many (P-9.11). */
  add(intake: CommandIntake): boolean {
    const { connection } = intake;
    const { slot: reserved, remoteAddress } = connection.handshake;
    const slot = reserved ?? this.addresses.acquire(remoteAddress);
    if (slot?.isWithin !== true) return false;
    if (reserved === undefined) this.slots.set(connection, slot);
    this.intakes.set(connection, intake);
    connection.budget?.add(intake);
    this.timer ??= setInterval(() => this.check(), CHECK_MS);
    return true;
  }

  /** Removes a connection. */
  remove(connection: Connection): void {
    const intake = this.intakes.get(connection);
    if (intake === undefined) return;
    this.intakes.delete(connection);
    this.slots.get(connection)?.release();
    this.slots.delete(connection);
    this.slowReaders.forget(connection);
    connection.budget?.remove(intake);
    if (this.intakes.size === 0) this.onEmpty?.();
  }

  /** Resolves when no connection is left, or after `ms` milliseconds. */
  async untilEmpty(ms: number): Promise<void> {
    if (this.intakes.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Stops checking deadlines. */
  stop(): void {
    this.slowReaders.stop();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private check(): void {
    const now = this.writer.now();
    const elapsed = performance.now();
    for (const [connection, intake] of this.intakes) {
      if (connection.session !== null) {
        this.sessions.checkExpiry(connection, connection.session, now);
      } else if (this.dialects?.isObserver(connection) !== true) {
        this.checkHello(intake, elapsed);
      }
      this.slowReaders.check(connection, elapsed);
    }
  }

  private checkHello({ connection, inFlight }: CommandIntake, elapsed: number): void {
    if (elapsed - connection.openedAt < this.config.limits.helloTimeoutMs) return;
    if (inFlight > 0) connection.bye(CloseCode.unavailable, 'the server is too slow');
    else connection.bye(CloseCode.helloTimeout, 'no hello succeeded in time');
  }
}
