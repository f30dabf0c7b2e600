import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';

import { closest } from '../config/closest.js';
import { CONFIG, type Config } from '../config/config.js';
import { isDeeperThan } from '../protocol/codec.js';
import { COMMANDS, type CommandName, type Hello } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { OWN_ROOM } from '../protocol/names.js';
import { BotPort } from './bot-port.js';
import type { Call } from './call.js';
import { CommandTable, type CommandEntry } from './command-table.js';
import { toWireError } from './failure.js';
import { HelloService } from './hello.service.js';

const HELLO = 'hello';
const SEND: CommandName = 'message.send';
const SHOWN_ISSUES = 8;
/** Rooms that can be resumed however few a connection may have; those past that are told so. */
const RESUMABLE_ROOMS = 100;

/** Checks a command and has its handler run (P-3.3, P-3.5). */
@Injectable()
export class Dispatcher {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CommandTable) private readonly table: CommandTable,
    @Inject(HelloService) private readonly hello: HelloService,
    @Inject(BotPort) private readonly bots: BotPort,
  ) {}

  /** Tells whether a command is a write (P-3.4). */
  isWrite(name: string): boolean {
    return this.table.isWrite(name);
  }

  /** Runs a call; settles it in any case. */
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
    // Before all that costs something: a flood of whatever it be is refused at the price of a look.
    if (call.refusal !== undefined && !mayBeRepeat(call)) throw call.refusal;
    const data = call.data ?? {};
    if (isDeeperThan(data, this.config.limits.jsonDepth)) throw new ProtocolError('too_deep');
    if (call.name === HELLO) {
      const hello = parse(COMMANDS.hello.data, data) as Hello;
      this.requireFewRooms(hello);
      return this.hello.greet(call, hello);
    }
    const entry = this.getEntry(call);
    const checked = entry.schema === undefined ? data : parse(entry.schema, data);
    if (call.actor.kind === 'bot') this.bots.plug.check(call, checked);
    this.takeFromBucket(call, entry);
    return entry.handle(call.connection, checked, call);
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

  /** How many rooms may be resumed goes by a limit, of which the schema knows nothing (P-5.12). */
  private requireFewRooms({ resume = {} }: Hello): void {
    const most = Math.max(RESUMABLE_ROOMS, this.config.limits.roomsPerConnection);
    const rooms = Object.keys(resume).filter((room) => room !== OWN_ROOM);
    if (rooms.length <= most) return;
    throw invalid([{ path: 'resume', message: `At most ${String(most)} rooms.` }]);
  }

  private takeFromBucket(call: Call, entry: CommandEntry): void {
    const bucket = entry.bucket ?? (call.actor.kind === 'bot' ? entry.botBucket : undefined);
    if (bucket === undefined || call.refusal !== undefined) return;
    const retryAfterMs = call.actor.messageBucket.take();
    if (retryAfterMs === 0) return;
    call.refusal = new ProtocolError('rate_limited', { retryAfterMs, details: { bucket } });
    if (!mayBeRepeat(call)) throw call.refusal;
  }
}

/** A repeat of a message comes before any rate limit, so its handler is told of the refusal. */
function mayBeRepeat({ name, data, connection }: Call): boolean {
  if (name !== SEND || connection.session === null) return false;
  return typeof data === 'object' && data !== null && 'cid' in data;
}

/** An object without a primitive value makes a comparison in zod's checks throw. */
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
