import { ForbiddenException } from '@nestjs/common';

import { BotArgumentsError, parseArguments } from './bot-arguments.js';
import { BotContext, type BotTrigger } from './bot-context.js';
import { BotClock } from './bot-clock.js';
import { isDirect, nameOf, placeOf } from './bot-event.js';
import type { BotHost, BotReport } from './bot-host.js';
import type { BotDefinition, BotHandler, HandlerOptions } from './bot-manifest.js';
import { deliver } from './bot-reply.js';
import { helpOf } from './command-help.js';
import { describeBot } from './describe-bot.js';
import { match } from './handler-fit.js';
import { shorten } from './shorten.js';

const FAILED = 'Something went wrong here. Please try again later.';
const HELP = /^\/?help$/iu;
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
    private readonly clock = new BotClock(),
  ) {}

  /** Has the first handler that fits deal with an event, and the next ones if it says so. */
  async run(trigger: BotTrigger): Promise<BotOutcome> {
    let outcome: BotOutcome = 'ignored';
    let hasMatched = false;
    for (const handler of this.bot.handlers) {
      const fit = match(handler, trigger, hasMatched);
      if (fit === null) continue;
      hasMatched = true;
      const context = new BotContext(this.host, this.bot, trigger, handler.method, this.clock);
      context.matches = fit.matches;
      outcome = await this.attempt(handler, context, trigger);
      if (outcome === 'failed' || !context.isPassedOn) return outcome;
    }
    return hasMatched || !asksForHelp(trigger) ? outcome : this.help(trigger);
  }

  /** Alone with a user, a bot tells itself what it can do. */
  private async help(trigger: BotTrigger): Promise<BotOutcome> {
    const { name, about } = this.bot;
    await this.tell(trigger, 'help', describeBot({ name, about, commands: helpOf(this.bot) }));
    return 'handled';
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
    await deliver(context, await call(context, await argumentsOf(options, context)));
    await context.commit();
  }

  private async withinTime(context: BotContext, work: Promise<void>): Promise<void> {
    let cancel: (() => void) | undefined;
    const { timeoutMs } = this.bot;
    const timeout = new Promise<never>((_, reject) => {
      cancel = this.clock.after(timeoutMs, () => {
        reject(new BotTimeoutError(`The handler took more than ${String(timeoutMs)} ms.`));
      });
    });
    try {
      await Promise.race([work, timeout]);
    } finally {
      cancel?.();
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
    // Whoever blocks a bot shall not have it rest for all others.
    const blocked = isBlocked(error);
    const kind: BotReport['kind'] =
      denied || blocked ? 'denied' : error instanceof BotTimeoutError ? 'timeout' : 'error';
    const where = { bot: this.bot.name, handler: method, ...placeOf(trigger.event) };
    this.host.report({ ...where, kind, ms: Math.round(ms), error });
    if (blocked) return 'handled';
    if (trigger.address !== null) await this.tell(trigger, method, denied ? DENIED : FAILED);
    return denied ? 'handled' : 'failed';
  }

  /** Tells who addressed the bot what came of it; a failure of that is reported and no more. */
  private async tell({ event, message }: BotTrigger, method: string, text: string): Promise<void> {
    const { room } = event.data;
    const cid = `${nameOf(event)}.failed.${method}`.slice(0, 64);
    try {
      await this.host.send({
        ...{ room, text: shorten(text, this.host.textChars), notice: true, cid },
        ...(message === null ? {} : { replyTo: message.id, cause: message.id }),
      });
    } catch (error) {
      const where = { bot: this.bot.name, handler: method, ...placeOf(event) };
      this.host.report({ ...where, kind: 'error', error });
    }
  }
}

/** Tells whether the server refused what a bot wrote, in this process or afar, for a block (P-8.3). */
function isBlocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'blocked';
}

function asksForHelp({ event, address, author }: BotTrigger): boolean {
  if (!isDirect(event.data.room) || address === null || author?.kind === 'bot') return false;
  return address.command === null && HELP.test(address.text);
}

/** Gives what `@Args()` stands for; an alarm that is due is done with if its handler succeeds. */
async function argumentsOf(options: HandlerOptions, context: BotContext): Promise<unknown> {
  const { event } = context;
  if (event.event === 'alarm.due') {
    const { key, at, value } = event.data;
    context.alarms.clear(key);
    return { key, at, value };
  }
  const schema = options.on === 'command' ? options.args : undefined;
  return schema === undefined ? context.text : parseArguments(schema, context.text);
}
