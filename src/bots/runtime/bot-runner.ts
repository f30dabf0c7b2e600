import { ForbiddenException } from '@nestjs/common';

import type { LogEvent } from '../../protocol/events.js';
import { BotArgumentsError, parseArguments } from './bot-arguments.js';
import { BotContext, type BotTrigger } from './bot-context.js';
import type { BotHost, BotReport } from './bot-host.js';
import type { BotDefinition, BotHandler, HandlerOptions } from './bot-manifest.js';
import { deliver } from './bot-reply.js';

const FAILED = 'Something went wrong here. Please try again later.';
const DENIED = 'You may not do that.';

/** How a bot dealt with an event. */
export type BotOutcome = 'ignored' | 'handled' | 'failed';

class BotTimeoutError extends Error {
  override readonly name = 'BotTimeoutError';
}

/** Has the handlers of one bot deal with events, one at a time; never throws. */
export class BotRunner {
  constructor(
    private readonly bot: BotDefinition,
    private readonly host: BotHost,
  ) {}

  /** Has the first handler that fits deal with an event, and the next ones if it says so. */
  async run(trigger: BotTrigger): Promise<BotOutcome> {
    let outcome: BotOutcome = 'ignored';
    let hasMatched = false;
    for (const handler of this.bot.handlers) {
      const context = new BotContext(this.host, this.bot, trigger, handler.method);
      if (!fits(handler, trigger, context, hasMatched)) continue;
      hasMatched = true;
      outcome = await this.attempt(handler, context, trigger);
      if (outcome === 'failed' || !context.isPassedOn) return outcome;
    }
    return outcome;
  }

  private async attempt(
    handler: BotHandler,
    context: BotContext,
    trigger: BotTrigger,
  ): Promise<BotOutcome> {
    const began = performance.now();
    try {
      await this.withinTime(context, this.work(handler, context));
      return 'handled';
    } catch (error) {
      context.fence(error as Error);
      return this.settle(handler, context, trigger, error, performance.now() - began);
    }
  }

  private async work({ call, options }: BotHandler, context: BotContext): Promise<void> {
    const schema = options.on === 'command' ? options.args : undefined;
    const args = schema === undefined ? context.text : await parseArguments(schema, context.text);
    await deliver(context, await call(context, args));
    await context.commit();
  }

  private async withinTime(context: BotContext, work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const { timeoutMs } = this.bot;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new BotTimeoutError(`The handler took more than ${String(timeoutMs)} ms.`));
      }, timeoutMs);
    });
    try {
      await Promise.race([work, timeout]);
    } finally {
      clearTimeout(timer);
      // What a handler throws after its time is up concerns nobody: its acts were refused.
      work.catch(() => undefined);
    }
  }

  private async settle(
    { method, options }: BotHandler,
    context: BotContext,
    trigger: BotTrigger,
    error: unknown,
    ms: number,
  ): Promise<BotOutcome> {
    if (error instanceof BotArgumentsError) {
      const help = options.on === 'command' ? `\n${options.help}` : '';
      await this.tell(trigger, method, `${error.message}${help}`);
      return 'handled';
    }
    const denied = error instanceof ForbiddenException;
    const kind: BotReport['kind'] = denied
      ? 'denied'
      : error instanceof BotTimeoutError
        ? 'timeout'
        : 'error';
    const { seq } = trigger.event.data;
    const where = { bot: this.bot.name, handler: method, room: context.room, seq };
    this.host.report({ ...where, kind, ms: Math.round(ms), error });
    if (trigger.address !== null) await this.tell(trigger, method, denied ? DENIED : FAILED);
    return denied ? 'handled' : 'failed';
  }

  /** Tells who addressed the bot what came of it; a failure of that is reported and no more. */
  private async tell({ event, message }: BotTrigger, method: string, text: string): Promise<void> {
    const { room, seq } = event.data;
    try {
      await this.host.send({
        ...{ room, text, notice: true, cid: `${String(seq)}.${method}.failed`.slice(0, 64) },
        ...(message === null ? {} : { replyTo: message.id, cause: message.id }),
      });
    } catch (error) {
      this.host.report({ bot: this.bot.name, kind: 'error', handler: method, room, seq, error });
    }
  }
}

function fits(
  { options }: BotHandler,
  trigger: BotTrigger,
  context: BotContext,
  hasMatched: boolean,
): boolean {
  const { event, author, address } = trigger;
  if (author?.kind === 'bot' && options.fromBots !== true) return false;
  switch (options.on) {
    case 'event':
      return event.event === options.event;
    case 'command':
      return address?.command === options.name;
    case 'fallback':
      return !hasMatched && address !== null;
    case 'text':
      context.matches = hears(options, trigger) ? options.pattern.exec(context.text) : null;
      return context.matches !== null;
  }
}

/** Whether a pattern is tried at all: a command is no text for patterns of what is addressed. */
function hears(
  { when }: Extract<HandlerOptions, { on: 'text' }>,
  { message, address }: BotTrigger,
): boolean {
  if (message === null) return false;
  return when === 'all' || (address !== null && address.command === null);
}

/** Tells whether some handler of a bot may want an event; a quick look before all else. */
export function mayWant(bot: BotDefinition, event: LogEvent['event'], fromBot: boolean): boolean {
  return bot.handlers.some(
    ({ options }) =>
      (!fromBot || options.fromBots === true) &&
      (options.on === 'event' ? options.event === event : event === 'message.created'),
  );
}
