import { ForbiddenException } from '@nestjs/common';

import { BotArgumentsError, parseArguments } from './bot-arguments.js';
import { BotContext, type BotTrigger } from './bot-context.js';
import { BotClock } from './bot-clock.js';
import { isDirect, eventId, locationOf } from './bot-event.js';
import type { BotHost, BotReport } from './bot-host.js';
import type { BotDefinition, BotHandler, HandlerOptions } from './bot-definition.js';
import { deliver } from './bot-reply.js';
import { describeBot, commandsOf } from './command-help.js';
import { match } from './handler-match.js';
import { shorten } from './shorten.js';

const FAILED = 'Something went wrong here. Please try again later.';
const HELP = /^\/?help$/iu;
const DENIED = 'You may not do that.';

/** The result of running a bot's handlers for an event. */
export type BotOutcome = 'ignored' | 'handled' | 'failed';

class BotTimeoutError extends Error {
  override readonly name = 'BotTimeoutError';
}

/** Runs the handlers of a bot for events; never throws. */
export class BotRunner {
  constructor(
    private readonly bot: BotDefinition,
    private readonly host: BotHost,
    private readonly clock = new BotClock(),
  ) {}

  /** Runs the first handler that matches, and the next ones if it calls `next()`. */
  async run(trigger: BotTrigger): Promise<BotOutcome> {
    let outcome: BotOutcome = 'ignored';
    let hasMatched = false;
    for (const handler of this.bot.handlers) {
      const found = match(handler, trigger, hasMatched);
      if (found === null) continue;
      hasMatched = true;
      const context = new BotContext(this.host, this.bot, trigger, handler.method, this.clock);
      context.matches = found.matches;
      outcome = await this.attempt(handler, context, trigger);
      if (outcome === 'failed' || !context.isPassedOn) return outcome;
    }
    return hasMatched || !asksForHelp(trigger) ? outcome : this.help(trigger);
  }

  /** Answers `/help` in a direct room, where the help bot is not a member. */
  private async help(trigger: BotTrigger): Promise<BotOutcome> {
    const { name, about } = this.bot;
    await this.notify(
      trigger,
      'help',
      describeBot({ name, about, commands: commandsOf(this.bot) }),
    );
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
      return this.handleFailure(handler, context, trigger, error, performance.now() - began);
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
      const timeUp = () => {
        reject(new BotTimeoutError(`The handler took more than ${String(timeoutMs)} ms.`));
      };
      cancel = this.clock.after(timeoutMs, timeUp, { background: true });
    });
    try {
      await Promise.race([work, timeout]);
    } finally {
      cancel?.();
      // Errors after the timeout are ignored: all actions were refused.
      work.catch(() => undefined);
    }
  }

  private async handleFailure(
    { method, options }: BotHandler,
    context: BotContext,
    trigger: BotTrigger,
    error: unknown,
    ms: number,
  ): Promise<BotOutcome> {
    if (error instanceof BotArgumentsError) {
      const help = options.on === 'command' ? `\n${options.help}` : '';
      await this.notify(trigger, method, `${error.message}${help}`);
      return 'handled';
    }
    const denied = error instanceof ForbiddenException;
    // A user who blocks the bot must not make it rest for other users.
    const blocked = isBlocked(error);
    const kind: BotReport['kind'] =
      denied || blocked ? 'denied' : error instanceof BotTimeoutError ? 'timeout' : 'error';
    const where = { bot: this.bot.name, handler: method, ...locationOf(trigger.event) };
    this.host.report({ ...where, kind, ms: Math.round(ms), error });
    if (blocked) return 'handled';
    if (trigger.address !== null) await this.notify(trigger, method, denied ? DENIED : FAILED);
    return denied ? 'handled' : 'failed';
  }

  /** Sends a notice to the user who addressed the bot; reports it if that fails. */
  private async notify(
    { event, message }: BotTrigger,
    method: string,
    text: string,
  ): Promise<void> {
    const { room } = event.data;
    const cid = `${eventId(event)}.failed.${method}`.slice(0, 64);
    try {
      await this.host.send({
        ...{ room, text: shorten(text, this.host.textChars), notice: true, cid },
        ...(message === null ? {} : { replyTo: message.id, cause: message.id }),
      });
    } catch (error) {
      const where = { bot: this.bot.name, handler: method, ...locationOf(event) };
      this.host.report({ ...where, kind: 'error', error });
    }
  }
}

/** Returns whether the server refused a message because a user blocked the bot (P-8.3). */
function isBlocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'blocked';
}

function asksForHelp({ event, address, author }: BotTrigger): boolean {
  if (!isDirect(event.data.room) || address === null || author?.kind === 'bot') return false;
  return address.command === null && HELP.test(address.text);
}

/** Returns the value of `@Args()`; clears the alarm, which takes effect if the handler succeeds. */
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
