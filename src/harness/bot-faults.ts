import type { BotContext } from '../bots/runtime/bot-context.js';
import type { BotDefinition, BotHandler } from '../bots/runtime/bot-manifest.js';

type Kind = 'hang' | 'throw';

/** Faults of bots that a test asks for; each lasts until it is cleared. */
export class BotFaults {
  /** How often a handler began or ended, for those who watch whether anything goes on. */
  calls = 0;
  private readonly faults = new Map<string, Kind>();
  private readonly hanging = new Set<() => void>();
  private readonly bots = new Map<string, BotDefinition>();

  /** How many handlers hang now because a test wants them to. */
  get hangingCount(): number {
    return this.hanging.size;
  }

  /** Lets the handlers of a bot, or one method of it, hang until their time is up. */
  hang(bot: string, method?: string): void {
    this.set('hang', bot, method);
  }

  /** Lets the handlers of a bot, or one method of it, throw. */
  throw(bot: string, method?: string): void {
    this.set('throw', bot, method);
  }

  /** Lets all bots be well again; a handler that hangs already goes on hanging. */
  clear(): void {
    this.faults.clear();
  }

  /** Ends what hangs; for the end of a server. */
  release(): void {
    for (const end of [...this.hanging]) end();
  }

  /** Gives a bot whose handlers have the faults that are asked for. */
  around(bot: BotDefinition): BotDefinition {
    this.bots.set(bot.name, bot);
    const handlers = bot.handlers.map((handler) => ({
      ...handler,
      call: (context: unknown, args: unknown) => this.call(bot.name, handler, context, args),
    }));
    return { ...bot, handlers };
  }

  private async call(bot: string, handler: BotHandler, context: unknown, args: unknown) {
    this.calls++;
    try {
      const fault = this.faults.get(bot) ?? this.faults.get(`${bot}.${handler.method}`);
      if (fault === 'throw') throw new Error('A fault that the test asked for.');
      if (fault === 'hang') await this.untilAborted((context as BotContext).signal);
      return await handler.call(context, args);
    } finally {
      this.calls++;
    }
  }

  private async untilAborted(signal: AbortSignal): Promise<never> {
    let end: () => void = () => undefined;
    try {
      return await new Promise<never>((_, reject) => {
        end = () => reject(new Error('The handler hung.'));
        this.hanging.add(end);
        signal.addEventListener('abort', end);
      });
    } finally {
      this.hanging.delete(end);
    }
  }

  private set(kind: Kind, name: string, method: string | undefined): void {
    const bot = this.bots.get(name);
    if (bot === undefined) {
      throw new Error(`There is no bot ${name} here, but ${[...this.bots.keys()].join(', ')}.`);
    }
    const methods = bot.handlers.map((handler) => handler.method);
    if (method !== undefined && !methods.includes(method)) {
      throw new Error(`The bot ${name} has no handler ${method}, but ${methods.join(', ')}.`);
    }
    this.faults.set(method === undefined ? name : `${name}.${method}`, kind);
  }
}
