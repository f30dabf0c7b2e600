import { GeneratorProcess } from '../load/generator-process.js';
import { ServerProcess } from '../server-process.js';

/** A running server with its clients. */
export class Session {
  #generator = new GeneratorProcess();

  /**
   * @param {import('../targets.js').Target} target
   * @param {string[]} nodeOptions
   */
  constructor(target, nodeOptions) {
    this.target = target;
    this.server = new ServerProcess(target, nodeOptions);
  }

  /**
   * @param {import('../targets.js').Target} target
   * @param {string[]} [nodeOptions]
   */
  static async start(target, nodeOptions = []) {
    const session = new Session(target, nodeOptions);
    try {
      await session.server.start();
    } catch (error) {
      session.#generator.stop();
      throw error;
    }
    return session;
  }

  /** @param {Omit<import('../load/crowd.js').CrowdPlan, 'port' | 'dialect'>} plan */
  async open(plan) {
    const { port } = this.server;
    try {
      await this.#generator.open({ ...plan, port, dialect: this.target.dialect });
    } catch (error) {
      const what = error instanceof Error ? error.message : error;
      throw new Error(`${this.target.title}: ${what}`, { cause: error });
    }
  }

  /** @param {Omit<import('../load/trial.js').TrialPlan, 'serverPid' | 'database' | 'linkPid'>} plan */
  async trial(plan) {
    const { pid, postgres } = this.server;
    const database = await postgres?.pinBackends(pid);
    return this.#generator.trial({ ...plan, serverPid: pid, database, linkPid: postgres?.linkPid });
  }

  /** Throws if the server dropped a connection. */
  async checkAllConnected() {
    const { lost, firstError } = await this.#generator.check();
    if (lost > 0) throw new Error(`${this.target.title} lost ${lost} connections: ${firstError}`);
  }

  /** Closes all clients; the server keeps running. */
  async close() {
    await this.#generator.close();
  }

  async stop() {
    this.#generator.stop();
    await this.server.stop();
  }
}
