import type { BotContext } from '../kit/bot-context.js';
import type { BotDefinition, BotHandler } from '../kit/bot-definition.js';
import type { IdleTracker } from '../kit/idle-tracker.js';

type Kind = 'hang' | 'throw';

/** Injects faults into the handlers of bots; each lasts until it is cleared. */
export class BotFaults {
  /** Number of starts and ends of handlers. */
  calls = 0;
  private readonly faults = new Map<string, Kind>();
  private readonly hanging = new Set<() => void>();
  private readonly bots = new Map<string, BotDefinition>();

  /** Whether a fault makes a handler hang. */
  get isHanging(): boolean {
    return this.hanging.size > 0;
  }

  /** Makes all handlers of a bot, or one of them, hang until they time out. */
  hang(bot: string, method?: string): void {
    this.set('hang', bot, method);
  }

  /** Makes all handlers of a bot, or one of them, throw. */
  throw(bot: string, method?: string): void {
    this.set('throw', bot, method);
  }

  /** Removes all faults; a handler that hangs continues to hang. */
  clear(): void {
    this.faults.clear();
  }

  /** Ends the handlers that hang, when a server stops. */
  release(): void {
    for (const end of [...this.hanging]) end();
  }

  /** Wraps the handlers of a bot with the faults. */
  wrap(bot: BotDefinition, idle: IdleTracker): BotDefinition {
    this.bots.set(bot.name, bot);
    const handlers = bot.handlers.map((handler) => ({
      ...handler,
      call: (context: unknown, args: unknown) =>
        this.call(() => handler.call(context, args), bot.name, handler, context, idle),
    }));
    return { ...bot, handlers };
  }

  private async call(
    run: () => Promise<unknown>,
    bot: string,
    handler: BotHandler,
    context: unknown,
    idle: IdleTracker,
  ): Promise<unknown> {
    this.calls++;
    try {
      const fault = this.faults.get(bot) ?? this.faults.get(`${bot}.${handler.method}`);
      if (fault === 'throw') throw new Error('A fault that the test injected.');
      if (fault === 'hang') await idle.suspend(this.untilAborted((context as BotContext).signal));
      return await run();
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
      throw new Error(`There is no bot ${name} here: use ${[...this.bots.keys()].join(', ')}.`);
    }
    const methods = bot.handlers.map((handler) => handler.method);
    if (method !== undefined && !methods.includes(method)) {
      throw new Error(`The bot ${name} has no handler ${method}: use ${methods.join(', ')}.`);
    }
    this.faults.set(method === undefined ? name : `${name}.${method}`, kind);
  }
}
