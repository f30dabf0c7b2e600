import { Writer } from '#src/database/writer.js';
import { RemoteBots } from '#src/bots/remote-bots.service.js';
import { BotReporter } from '#src/bots/runtime/bot-reporter.js';
import { BotScope } from '#src/protocol/bots.js';
import { registerBot } from '#src/users/bot-accounts.service.js';
import type { BotReport } from '#src/bots/runtime/bot-host.js';
import { connectBot, type BotProgram, type ConnectBotOptions } from '#src/index.js';

import { CARRIERS, Scene, type Carrier } from '../client/scene.js';
import type { TestClient } from '../support/client.js';
import { Conditions } from '../support/conditions.js';
import { eventually } from '../support/eventually.js';

const ROOM = 'far';
const WAIT_MS = 15_000;

type Given = Omit<ConnectBotOptions, 'url' | 'token'> & { readonly token?: string };

/** A server, a room of ann, and programs of bots behind a network that can be broken. */
export class FarScene {
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

  /** Starts a server that knows a bot by this name, which is in the room of ann. */
  static async start(carrier: Carrier, bot = 'far'): Promise<FarScene> {
    const far = new FarScene(await Scene.start(), carrier);
    far.token = await far.register(bot);
    await far.enter();
    await far.ann.ok('bot.add', { room: ROOM, bot, scopes: [...BotScope.options] });
    return far;
  }

  /** Registers a bot as its operator does; gives its token. */
  register(name: string, scopes: readonly BotScope[] = BotScope.options): Promise<string> {
    const bot = { name, about: 'Far away.', scopes };
    const { app } = this.scene.server;
    return app.get(Writer).run(({ manager }) => registerBot(manager, bot));
  }

  /** Has ann come into the room, also after a restart. */
  async enter(): Promise<void> {
    const token = this.ann?.welcome.token;
    this.ann = await this.scene.bystander('ann', token === undefined ? {} : { token });
    await this.ann.ok('room.join', { room: ROOM, create: true });
  }

  /** Runs a program of bots; resolves as soon as it begins to connect. */
  async begin({ token = this.token, providers = [], ...options }: Given): Promise<BotProgram> {
    const reporter = { report: (report: BotReport) => this.note(report) };
    const program = await connectBot({
      ...{ url: this.scene.url, token, logger: false },
      ...{ ...CARRIERS[this.carrier], returnDelays: { firstMs: 20, longestMs: 200 } },
      ...options,
      providers: [{ provide: BotReporter, useValue: reporter }, ...providers],
    });
    this.programs.push(program);
    return program;
  }

  /** Runs a program of bots that is connected and has its rooms. */
  async run(options: Given): Promise<BotProgram> {
    const program = await this.begin(options);
    await program.ready();
    const bots = this.scene.server.app.get(RemoteBots);
    await eventually(() => bots.countBusy() === 0, 'the rooms of the bot');
    return program;
  }

  /** Has ann say something. */
  async say(text: string): Promise<void> {
    await this.ann.ok('message.send', { room: ROOM, text });
  }

  /** Waits until a bot says something. */
  async hears(text: string): Promise<void> {
    await this.ann.event('message.created', ({ message }) => {
      return message.sender.kind === 'bot' && message.text === text;
    });
  }

  /** Gives all that was said, as lines. */
  async transcript(): Promise<string[]> {
    const { messages } = await this.ann.ok('message.history', { room: ROOM, limit: 100 });
    return messages.map(({ sender, text }) => `${sender.name}: ${text}`);
  }

  /** Waits for a report of a kind. */
  async reported(kind: BotReport['kind']): Promise<void> {
    const isThere = () => this.reports.some((report) => report.kind === kind);
    await this.conditions.until(isThere, `the report ${kind}`, WAIT_MS);
  }

  /** Ends all of it. */
  async dispose(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.close()));
    await this.scene.dispose();
  }

  private note(report: BotReport): void {
    this.reports.push(report);
    this.conditions.wake();
  }
}
