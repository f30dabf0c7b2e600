import { GeneratorProcess } from '../load/generator-process.js';
import { ServerProcess } from '../server-process.js';

/** A started server with its crowd of clients. */
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

  /** @param {Omit<import('../load/trial.js').TrialPlan, 'serverPid'>} plan */
  async trial(plan) {
    return this.#generator.trial({ ...plan, serverPid: this.server.pid });
  }

  /** Fails if the server dropped somebody. */
  async checkAllConnected() {
    const { lost, complaint } = await this.#generator.check();
    if (lost > 0) throw new Error(`${this.target.title} lost ${lost} connections: ${complaint}`);
  }

  /** Lets the crowd go; the server stays. */
  async close() {
    await this.#generator.close();
  }

  async stop() {
    this.#generator.stop();
    await this.server.stop();
  }
}
