import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

import { Conditions } from './conditions.js';

const WAIT_MS = 8_000;

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

/** A gateway of the app with one command, which is answered when a test opens its gate. */
@WebSocketGateway()
export class GatedGateway {
  /** Names of the gates at which commands arrived, in order. */
  readonly reached: string[] = [];
  private readonly gates = new Map<string, Gate>();
  private readonly conditions = new Conditions();

  @SubscribeMessage('test.wait')
  async wait(@MessageBody() { gate }: { gate: string }): Promise<object> {
    this.reached.push(gate);
    this.conditions.wake();
    await this.gate(gate).opened;
    return { gate };
  }

  /** Opens a gate, so that its command is answered. */
  open(gate: string): void {
    this.gate(gate).open();
  }

  /** Waits until a command has arrived at a gate. */
  async untilReached(gate: string): Promise<void> {
    const reached = () => this.reached.includes(gate);
    await this.conditions.until(reached, `a command at the gate ${gate}`, WAIT_MS);
  }

  private gate(name: string): Gate {
    let gate = this.gates.get(name);
    if (gate === undefined) {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => (open = resolve));
      gate = { opened, open };
      this.gates.set(name, gate);
    }
    return gate;
  }
}

/** The module of {@link GatedGateway}. */
@Module({ providers: [GatedGateway] })
export class GatedModule {}
