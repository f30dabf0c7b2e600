import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { AddressBudgets } from '../limits/address-budgets.js';
import type { ConnectionSlot } from '../limits/address-limit.js';
import { CloseCode } from '../protocol/close-codes.js';
import { ProtocolError } from '../protocol/errors.js';
import { UsersService } from '../users/users.service.js';
import { CommandIntake, type IntakeServices } from './commands/command-intake.js';
import { CommandTable } from './commands/command-table.js';
import { Dispatcher } from './commands/dispatcher.js';
import { Connection, reconnectDelay, type CloseHandler } from './connections/connection.js';
import { PresentUsers } from './connections/present-users.js';
import { SlowReaders } from './connections/slow-readers.js';
import type { Handshake, Link, Sink } from './connections/transport.js';
import { DIALECT_PORT, type DialectPort } from './ports/dialect-port.js';
import { OpenConnections } from './open-connections.js';
import { SessionsService } from './sessions/sessions.service.js';

const DRAIN_MS = 15_000;
/** Time for pushed bytes to reach clients that read slowly, or that poll. */
const CLOSE_MS = 5_000;

/** Accepts connections from the transports, cleans up after them, and drains them (P-2). */
@Injectable()
export class ChatServer implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Connections');
  private readonly services: IntakeServices;
  private readonly onClosed: CloseHandler = (...closed) => this.cleanUp(...closed);
  private draining = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly connections: OpenConnections,
    private readonly sessions: SessionsService,
    private readonly present: PresentUsers,
    private readonly users: UsersService,
    @Inject(DIALECT_PORT) private readonly dialects: DialectPort | null,
    private readonly budgets: AddressBudgets,
    table: CommandTable,
    dispatcher: Dispatcher,
    slowReaders: SlowReaders,
  ) {
    const { limits } = config;
    const commandRate = { perSecond: limits.commandsPerSecond, burst: limits.commandsBurst };
    this.services = { limits, commandRate, table, dispatcher, slowReaders };
  }

  /** Returns whether the server is about to stop. */
  isDraining(): boolean {
    return this.draining;
  }

  /** Reserves a slot before there is a connection; null if the address has too many (P-9.11). */
  reserve(address: string): ConnectionSlot | null {
    return this.connections.reserve(address);
  }

  /** Accepts a connection; returns undefined if it was refused and closed (P-2.1). */
  accept(link: Link, handshake: Handshake): Sink | undefined {
    const { dialects } = this;
    if (handshake.isSilent !== true || dialects === null) return this.open(link, handshake);
    return dialects.accept(link, (wrapped) => this.open(wrapped, handshake));
  }

  /** Closes all connections once every accepted command is committed and answered (P-2.14). */
  async beforeApplicationShutdown(): Promise<void> {
    this.draining = true;
    await this.users.touchAll(this.present.ids()).catch((error: unknown) => {
      this.logger.warn({ msg: 'The time of leaving was not stored', err: error });
    });
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, DRAIN_MS).unref());
    const all = [...this.connections.all()].map((connection) => this.drain(connection));
    await Promise.race([Promise.all(all), deadline]);
    for (const connection of this.connections.all()) sayGoingAway(connection);
    await this.connections.untilEmpty(CLOSE_MS);
    this.connections.stop();
  }

  private open(link: Link, handshake: Handshake): CommandIntake | undefined {
    const budget = this.budgets.find(handshake.remoteAddress);
    const { backlogBytes } = this.config.limits;
    const connection = new Connection(link, handshake, budget, backlogBytes, this.onClosed);
    if (handshake.refusal !== undefined) {
      connection.bye(handshake.refusal.code as CloseCode, handshake.refusal.reason);
      return undefined;
    }
    if (this.draining) {
      sayGoingAway(connection);
      return undefined;
    }
    const intake = new CommandIntake(connection, this.services);
    if (!this.connections.add(intake)) {
      connection.bye(CloseCode.tooManyConnections, 'too many connections from this address');
      return undefined;
    }
    this.logger.debug({ msg: 'opened', connection: link.id });
    if (handshake.misplacedToken === true) refuseTokenInUrl(connection);
    else if (handshake.hello !== undefined) intake.addHello(handshake.hello);
    return intake;
  }

  private async drain(connection: Connection): Promise<void> {
    const intake = this.connections.intakeOf(connection);
    intake?.stopReading();
    await this.dialects?.drained(connection);
    await intake?.drained();
    sayGoingAway(connection);
  }

  private cleanUp(connection: Connection, code: number, reason: string): void {
    this.logger.debug({ msg: 'closed', connection: connection.id, code, reason });
    this.connections.remove(connection);
    const gone = this.sessions.close(connection);
    if (gone === null || this.draining || !gone.isStored) return;
    this.users.touch(gone.id).catch((error: unknown) => {
      this.logger.warn({ msg: 'The time of leaving was not stored', err: error });
    });
  }
}

function refuseTokenInUrl(connection: Connection): void {
  const message =
    'A token in a URL ends up in logs: give it in hello, or as an Authorization: Bearer header.';
  connection.sendError(new ProtocolError('token_invalid', { message }).toWire(), 'hello');
}

function sayGoingAway(connection: Connection): void {
  connection.bye(CloseCode.goingAway, 'the server is stopping', reconnectDelay());
}
