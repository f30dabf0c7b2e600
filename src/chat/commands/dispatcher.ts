import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';

import { closest } from '../../config/closest.js';
import { CONFIG, type Config } from '../../config/config.js';
import { MessagesService } from '../../messages/messages.service.js';
import { isDeeperThan } from '../../protocol/codec.js';
import {
  COMMANDS,
  type CommandData,
  type CommandName,
  type Hello,
  type ReplyData,
} from '../../protocol/commands.js';
import { ProtocolError } from '../../protocol/errors.js';
import { OWN_ROOM } from '../../protocol/names.js';
import { BOT_PORT, type BotPort } from '../ports/bot-port.js';
import type { Call } from '../connections/call.js';
import { CommandTable, type CommandEntry } from './command-table.js';
import { toWireError } from '../connections/failure.js';
import { HelloService } from '../sessions/hello.service.js';
import { LoopTurns } from '../connections/loop-turns.js';
import {
  chargeMessage,
  chargeRead,
  refundMessage,
  requireReadBudget,
  tokensOf,
} from './budgets.js';

const HELLO = 'hello';
const SEND: CommandName = 'message.send';
const SHOWN_ISSUES = 8;
/** Rooms that one hello may name, even if a connection may receive fewer. */
const RESUMABLE_ROOMS = 100;

/** Checks commands and runs their handlers (P-3.3, P-3.5). */
@Injectable()
export class Dispatcher {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly table: CommandTable,
    private readonly hello: HelloService,
    @Inject(BOT_PORT) private readonly bots: BotPort,
    private readonly messages: MessagesService,
    private readonly turns: LoopTurns,
  ) {}

  /** Runs a call and always settles it; never rejects. */
  async run(call: Call): Promise<void> {
    try {
      const data = await this.dispatch(call);
      call.settle({ ok: true, data: data ?? {} });
    } catch (thrown) {
      const error = toWireError(thrown, { cmd: call.name, connection: call.connection.id });
      call.settle({ ok: false, error });
    }
  }

  private async dispatch(call: Call): Promise<unknown> {
    // Checked first, so that a flood of commands is refused at almost no cost.
    if (call.refusal !== undefined && !mayBeRepeat(call)) throw call.refusal;
    const data = call.data ?? {};
    if (isDeeperThan(data, this.config.limits.jsonDepth)) throw new ProtocolError('too_deep');
    if (call.name === HELLO) {
      const hello = parse(COMMANDS.hello.data, data) as Hello;
      this.requireFewRooms(hello);
      return this.hello.openSession(call, hello);
    }
    const entry = this.getEntry(call);
    const checked = entry.schema === undefined ? data : parse(entry.schema, data);
    if (call.actor.kind === 'bot') this.bots.check(call, checked);
    if (isCharged(call, entry)) return this.runCharged(call, entry, checked);
    if (entry.reads !== undefined) return this.runRead(call, entry, checked);
    return entry.handle(call.connection, checked, call);
  }

  /**
   * Runs a command that costs tokens of the message rates (P-9.10).
   *
   * A repeat of a message is answered even if the rates refuse it, and costs nothing (P-6.3).
   */
  private async runCharged(call: Call, entry: CommandEntry, data: unknown): Promise<unknown> {
    const tokens = tokensOf(data);
    const refusal = call.refusal ?? chargeMessage(call, tokens);
    if (refusal === undefined) {
      const reply = await entry.handle(call.connection, data, call);
      if (isRepeat(call, reply)) refundMessage(call, tokens);
      return reply;
    }
    if (!mayBeRepeat(call)) throw refusal;
    const message = await this.messages.findRepeat(call, data as CommandData<'message.send'>);
    if (message === null) throw refusal;
    return { message, duplicate: true };
  }

  private async runRead(call: Call, entry: CommandEntry, data: unknown): Promise<unknown> {
    requireReadBudget(call);
    const reply = await entry.handle(call.connection, data, call);
    if (entry.reads === 'page') await this.turns.next();
    chargeRead(call, reply);
    return reply;
  }

  private getEntry({ name, connection }: Call): CommandEntry {
    const entry = this.table.find(name);
    if (entry === undefined) {
      const near = closest(name, Object.keys(COMMANDS));
      const message = `There is no command ${JSON.stringify(name.slice(0, 64))}.`;
      const hint = near === undefined ? '' : ` Did you mean ${near}?`;
      throw new ProtocolError('unknown_command', { message: message + hint });
    }
    if (connection.session === null) throw new ProtocolError('hello_required');
    return entry;
  }

  /** Checks the number of rooms to resume, which depends on a setting (P-5.12). */
  private requireFewRooms({ resume = {} }: Hello): void {
    const most = Math.max(RESUMABLE_ROOMS, this.config.limits.roomsPerConnection);
    const rooms = Object.keys(resume).filter((room) => room !== OWN_ROOM);
    if (rooms.length <= most) return;
    throw invalid([{ path: 'resume', message: `At most ${String(most)} rooms.` }]);
  }
}

/** Returns whether a command costs tokens of the message rates. */
function isCharged({ actor }: Call, { bucket, botBucket }: CommandEntry): boolean {
  return bucket !== undefined || (actor.kind === 'bot' && botBucket !== undefined);
}

/** Returns whether a command may be a repeat of a message, without a query. */
function mayBeRepeat({ name, data, connection }: Call): boolean {
  if (name !== SEND || connection.session === null) return false;
  return typeof data === 'object' && data !== null && 'cid' in data;
}

function isRepeat({ name }: Call, reply: unknown): boolean {
  return name === SEND && (reply as ReplyData<'message.send'>).duplicate;
}

/** Parses data; an object without a primitive value makes a comparison in zod throw. */
function safeParse(schema: z.ZodType, data: unknown): z.ZodSafeParseResult<unknown> {
  try {
    return schema.safeParse(data);
  } catch (cause) {
    throw new ProtocolError('invalid', { details: { issues: [], cause: String(cause) } });
  }
}

function parse(schema: z.ZodType, data: unknown): unknown {
  const result = safeParse(schema, data);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, SHOWN_ISSUES).map(({ path, message }) => ({
    path: path.join('.'),
    message,
  }));
  throw invalid(issues);
}

function invalid(issues: readonly { path: string; message: string }[]): ProtocolError {
  const [first] = issues;
  const at = first === undefined || first.path === '' ? '' : `${first.path}: `;
  const message = first === undefined ? {} : { message: `${at}${first.message}` };
  return new ProtocolError('invalid', { ...message, details: { issues } });
}
