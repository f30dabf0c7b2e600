import { randomUUID } from 'node:crypto';

import { Logger } from '@nestjs/common';

import { SYSTEM_CLOCK, type BusClock } from './bus-clock.js';
import { BusConnection } from './bus-connection.js';
import type { BusDriver } from './bus-driver.js';
import type { BusHandler, BusState, ClusterBus } from './cluster-bus.js';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;
/** Time after which a connection counts as stable. */
const STABLE_MS = 2_000;

interface Subscription {
  readonly handler: BusHandler;
  readonly settle: (isConfirmed: boolean) => void;
}

/**
 * A bus that opens one connection after another.
 *
 * The clients of the services could reconnect by themselves. They differ in what they keep, and
 * none of them is connected again only when all subscriptions are confirmed.
 */
export class ReconnectingBus implements ClusterBus {
  /** The same for all connections, so that a service refuses each with the same words. */
  private readonly echoSubject = `x.${randomUUID()}`;
  private readonly logger = new Logger('Bus');
  private readonly listeners: ((state: BusState) => void)[] = [];
  private readonly subscriptions = new Map<string, Subscription>();
  private connection: BusConnection | undefined;
  private current: BusState = 'away';
  private pauseMs = FIRST_PAUSE_MS;
  private lastReason: string | undefined;
  private isClosed = false;
  private lossCount = 0;
  private connectedAt = 0;
  private running: Promise<void> | undefined;
  /** Ends the current connection or pause; without a reason, nothing is logged. */
  private interrupt: (reason: Error | null) => void = () => undefined;

  constructor(
    private readonly driver: BusDriver,
    private readonly clock: BusClock = SYSTEM_CLOCK,
  ) {}

  get state(): BusState {
    return this.current;
  }

  get maxBytes(): number {
    return this.connection?.maxBytes ?? 0;
  }

  get carriesEvents(): boolean {
    return this.driver.carriesEvents;
  }

  get losses(): number {
    return this.lossCount;
  }

  /** Begins to connect; does not wait for the service. */
  start(): this {
    this.running ??= this.run();
    return this;
  }

  onState(listener: (state: BusState) => void): void {
    this.listeners.push(listener);
  }

  publish(subject: string, bytes: Uint8Array): boolean {
    if (this.current === 'away') return false;
    return this.connection?.publish(subject, bytes) ?? false;
  }

  async subscribe(subject: string, handler: BusHandler): Promise<boolean> {
    if (this.isClosed) return false;
    this.subscriptions.get(subject)?.settle(false);
    return new Promise((settle) => {
      this.subscriptions.set(subject, { handler, settle });
      // Otherwise, the connection confirms all subjects at once when it opens.
      if (this.current === 'connected') void this.confirm(subject);
    });
  }

  unsubscribe(subject: string): void {
    this.subscriptions.get(subject)?.settle(false);
    this.subscriptions.delete(subject);
    this.connection?.unsubscribe(subject);
  }

  async close(): Promise<void> {
    if (this.isClosed) return this.running;
    this.isClosed = true;
    const connection = this.current === 'connected' ? this.connection : undefined;
    this.change('away');
    await connection?.close();
    this.interrupt(null);
    for (const { settle } of this.subscriptions.values()) settle(false);
    this.subscriptions.clear();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isClosed) {
      await this.useConnection();
      await this.pause();
    }
  }

  /** Opens a connection, and resolves when it is lost. */
  private async useConnection(): Promise<void> {
    let lose: (reason: Error | null) => void = () => undefined;
    const lost = new Promise<Error | null>((resolve) => (lose = resolve));
    this.interrupt = lose;
    try {
      const session = await this.driver.open({
        message: (subject, bytes) => this.dispatch(subject, bytes),
        lost: lose,
      });
      this.connection = new BusConnection(session, this.clock, this.echoSubject, lose);
      void this.confirmAll(this.connection).catch(lose);
    } catch (error) {
      lose(error as Error);
    }
    const reason = await lost;
    if (this.current === 'connected') this.noteLoss();
    this.connection?.abort();
    this.connection = undefined;
    this.change('away');
    if (reason !== null) this.report(reason);
  }

  private noteLoss(): void {
    this.lossCount++;
    // A connection that is lost again and again does not make this node reconnect in a hurry.
    if (this.clock.now() - this.connectedAt < STABLE_MS) return;
    this.pauseMs = FIRST_PAUSE_MS;
    this.lastReason = undefined;
  }

  private async confirmAll(connection: BusConnection): Promise<void> {
    const confirmed = new Map(this.subscriptions);
    await connection.confirm([...confirmed.keys()]);
    // More subjects may have been subscribed meanwhile.
    for (;;) {
      const more = [...this.subscriptions].filter(([subject]) => !confirmed.has(subject));
      if (more.length === 0) break;
      for (const [subject, subscription] of more) {
        await connection.subscribe(subject);
        confirmed.set(subject, subscription);
      }
    }
    if (connection !== this.connection || this.isClosed) return;
    for (const { settle } of confirmed.values()) settle(true);
    this.connectedAt = this.clock.now();
    this.logger.log({ msg: 'The bus is connected', bus: this.driver.address });
    this.change('connected');
  }

  private async confirm(subject: string): Promise<void> {
    const { connection } = this;
    const subscription = this.subscriptions.get(subject);
    try {
      await connection?.subscribe(subject);
      if (connection === this.connection) subscription?.settle(true);
    } catch (error) {
      if (connection === this.connection) this.interrupt(error as Error);
    }
  }

  private dispatch(subject: string, bytes: Uint8Array): void {
    if (subject === this.echoSubject) {
      this.connection?.hearEcho(bytes);
      return;
    }
    try {
      this.subscriptions.get(subject)?.handler(bytes);
    } catch (error) {
      this.logger.error({ msg: 'The handler of a frame failed', subject, err: error });
    }
  }

  private async pause(): Promise<void> {
    if (this.isClosed) return;
    // Half of the pause is random, so that nodes do not return all at once.
    const ms = this.pauseMs * (0.5 + Math.random() / 2);
    this.pauseMs = Math.min(this.pauseMs * 2, MAX_PAUSE_MS);
    await new Promise<void>((resolve) => {
      const cancel = this.clock.after(ms, resolve);
      this.interrupt = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Logs why the bus is away, once per reason. */
  private report(error: Error): void {
    const reason = this.withoutSecrets(error.message);
    if (this.isClosed || reason === this.lastReason) return;
    this.lastReason = reason;
    this.logger.warn({
      msg: 'The bus is away; this node reads the database instead until it returns',
      bus: this.driver.address,
      reason,
    });
  }

  private withoutSecrets(text: string): string {
    return this.driver.secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
  }

  private change(state: BusState): void {
    if (state === this.current) return;
    this.current = state;
    for (const listener of this.listeners) listener(state);
  }
}
