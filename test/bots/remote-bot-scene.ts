import { Writer } from '#src/database/writer.js';
import { BotReporter } from '#src/bots/kit/bot-reporter.js';
import { IdleTracker } from '#src/bots/kit/idle-tracker.js';
import { BotScope } from '#src/protocol/bots.js';
import { registerBot } from '#src/users/bot-accounts.js';
import type { BotReport } from '#src/bots/kit/bot-host.js';
import { connectBot, type BotProgram, type ConnectBotOptions } from '#src/index.js';

import { CARRIERS, Scene, type Carrier } from '../client/scene.js';
import type { TestClient } from '../support/client.js';
import { Conditions } from '../support/conditions.js';

const ROOM = 'remote';
const WAIT_MS = 30_000;

type Given = Omit<ConnectBotOptions, 'url' | 'token'> & { readonly token?: string };

/** A server, a room that ann owns, and standalone bots behind a proxy that can cut the network. */
export class RemoteBotScene {
  readonly room = ROOM;
  readonly reports: BotReport[] = [];
  ann!: TestClient;
  token = '';
  private readonly programs: BotProgram[] = [];
  private readonly conditions = new Conditions();

  private constructor(
    readonly scene: Scene,
    private readonly carrier: Carrier,
  ) {}

  /** Starts a server, registers a bot, and adds it to ann's room. */
  static async start(carrier: Carrier, bot = 'remote'): Promise<RemoteBotScene> {
    const remote = new RemoteBotScene(await Scene.start(), carrier);
    remote.token = await remote.register(bot);
    await remote.enter();
    await remote.ann.ok('bot.add', { room: ROOM, bot, scopes: [...BotScope.options] });
    return remote;
  }

  /** Registers a bot as an operator does; returns its token. */
  register(name: string, scopes: readonly BotScope[] = BotScope.options): Promise<string> {
    const bot = { name, about: 'Runs elsewhere.', scopes };
    const { app } = this.scene.server;
    return app.get(Writer).run([], ({ manager }) => registerBot(manager, bot));
  }

  /** Lets ann join the room, at first or after a restart. */
  async enter(): Promise<void> {
    const token = this.ann?.welcome.token;
    this.ann = await this.scene.bystander('ann', token === undefined ? {} : { token });
    await this.ann.ok('room.join', { room: ROOM, create: true });
  }

  /** Starts a program of bots; resolves when it starts to connect. */
  async connect({ token = this.token, providers = [], ...options }: Given): Promise<BotProgram> {
    const reporter = { report: (report: BotReport) => this.collect(report) };
    const program = await connectBot({
      ...{ url: this.scene.url, token, logger: false },
      ...{ ...CARRIERS[this.carrier], reconnectDelays: { firstMs: 20, longestMs: 200 } },
      ...options,
      providers: [{ provide: BotReporter, useValue: reporter }, ...providers],
    });
    this.programs.push(program);
    return program;
  }

  /** Starts a program of bots; resolves when it is connected and holds its rooms. */
  async run(options: Given): Promise<BotProgram> {
    const program = await this.connect(options);
    await program.ready();
    await this.scene.server.app.get(IdleTracker).whenIdle();
    return program;
  }

  /** Sends a message of ann. */
  async say(text: string): Promise<void> {
    await this.ann.ok('message.send', { room: ROOM, text });
  }

  /** Waits until a bot writes a text. */
  async hears(text: string): Promise<void> {
    await this.ann.event('message.created', ({ message }) => {
      return message.sender.kind === 'bot' && message.text === text;
    });
  }

  /** Returns all messages as lines. */
  async transcript(): Promise<string[]> {
    const { messages } = await this.ann.ok('message.history', { room: ROOM, limit: 100 });
    return messages.map(({ sender, text }) => `${sender.name}: ${text}`);
  }

  /** Waits for a report of a kind. */
  async reported(kind: BotReport['kind']): Promise<void> {
    const isThere = () => this.reports.some((report) => report.kind === kind);
    await this.conditions.until(isThere, `the report ${kind}`, WAIT_MS);
  }

  /** Stops the programs and the server. */
  async dispose(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.close()));
    await this.scene.dispose();
  }

  private collect(report: BotReport): void {
    // A handler may be slow because the machine is slow.
    if (report.kind !== 'slow') this.reports.push(report);
    this.conditions.wake();
  }
}
