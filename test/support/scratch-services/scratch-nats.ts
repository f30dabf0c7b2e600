import { freePorts } from '../free-port.js';
import { natsProgram } from './programs.js';
import { ScratchProgram } from './scratch-program.js';

/** A NATS server of a test, on a free port. */
export class ScratchNats extends ScratchProgram {
  private constructor(
    readonly port: number,
    more: readonly string[],
  ) {
    const args = ['--addr', '127.0.0.1', '--port', String(port), ...more];
    super({ command: natsProgram ?? 'nats-server', args, port, stopSignal: 'SIGTERM' });
  }

  /** Starts a server, with more arguments. */
  static async start(...more: readonly string[]): Promise<ScratchNats> {
    const [port = 0] = await freePorts(1);
    const server = new ScratchNats(port, more);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${String(this.port)}`;
  }
}
