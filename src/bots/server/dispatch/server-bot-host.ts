import { COMMANDS, type CommandName } from '../../../protocol/commands.js';
import type { Fence } from '../../../database/lease.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { Message } from '../../../protocol/models.js';
import type { HistoryService } from '../../../messages/history.service.js';
import type { MessagesService } from '../../../messages/messages.service.js';
import type { ReactionsService } from '../../../messages/reactions.service.js';
import type { TypingService } from '../../../chat/fan-out/typing.service.js';
import type { ActiveRooms } from '../../../rooms/active-rooms.js';
import type { Caller } from '../../../store/actor.js';
import type { BotAccount } from '../roster/bot-account.js';
import { checkBotCall } from '../roster/bot-policy.js';
import type { BotReporter } from '../../kit/bot-reporter.js';
import type { BotAlarmClock } from '../state/bot-alarm-clock.js';
import type { BotRoster } from '../roster/bot-roster.js';
import type { BotStates } from '../state/bot-states.js';
import type { BotTriggers } from './bot-triggers.js';
import type { BotClock } from '../../kit/bot-clock.js';
import type {
  BotHost,
  BotMessage,
  BotReport,
  RoomBot,
  StateChange,
  StateEntry,
  StateOwner,
} from '../../kit/bot-host.js';

/** Maximum delay of a bot that writes too fast; beyond it, the message is refused. */
const LONGEST_WAIT_MS = 5_000;

/** The services that a bot uses, the same as for every client. */
export interface BotServices {
  readonly messages: MessagesService;
  readonly reactions: ReactionsService;
  readonly history: HistoryService;
  readonly typing: TypingService;
  readonly rooms: ActiveRooms;
  readonly roster: BotRoster;
  readonly states: BotStates;
  readonly alarms: BotAlarmClock;
  readonly reporter: BotReporter;
  readonly triggers: BotTriggers;
  readonly clock: BotClock;
}

/** Acts for a bot inside the server, within its scopes and its rate. */
export class ServerBotHost implements BotHost {
  private readonly caller: Caller;

  constructor(
    private readonly bot: BotAccount,
    private readonly services: BotServices,
    private readonly fence: Fence | undefined,
  ) {
    this.caller = { actor: bot.actor, onQueued: () => undefined, fence };
  }

  get textChars(): number {
    return this.services.messages.textChars;
  }

  async send({ notice, ...message }: BotMessage): Promise<Message> {
    const { messages, history } = this.services;
    const { room, cid } = message;
    await this.requireWrite('message.send', room);
    const kind = notice === true ? { kind: 'notice' as const } : {};
    const data = COMMANDS['message.send'].data.parse({ ...message, ...kind });
    try {
      return (await messages.send(this.caller, data)).message;
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== 'idempotency_conflict') throw error;
      // The event was handled before with another result, which is kept.
      const status = await history.status(this.bot.actor, { room, cid });
      if (status.message === undefined) throw error;
      return status.message;
    }
  }

  async edit(room: string, message: string, text: string): Promise<Message> {
    await this.requireWrite('message.edit', room);
    const data = COMMANDS['message.edit'].data.parse({ room, message, text });
    return (await this.services.messages.edit(this.caller, data)).message;
  }

  async react(room: string, message: string, emoji: string): Promise<void> {
    await this.requireWrite('message.react', room);
    const data = COMMANDS['message.react'].data.parse({ room, message, emoji });
    await this.services.reactions.add(this.caller, data);
  }

  typing(room: string): Promise<void> {
    return this.services.typing.announce(this.bot.actor, room);
  }

  async findMessage(room: string, message: string): Promise<Message | null> {
    const { triggers } = this.services;
    const found = await triggers.findMessage(room, message);
    return found !== null && (await triggers.mayRead(this.bot, found)) ? found : null;
  }

  async isOwner(room: string, user: string): Promise<boolean> {
    return (await this.services.rooms.find(room))?.info.owner === user;
  }

  listBots(room: string): Promise<RoomBot[]> {
    const bots = this.services.roster.memberships.botsIn(room);
    const shown = bots.map(({ name, about, commandHelp }) => {
      return { name, about, commands: commandHelp };
    });
    return Promise.resolve(shown.sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  readState(owner: StateOwner, key: string): Promise<unknown> {
    return this.services.states.read(this.bot.actor.id, owner, key);
  }

  listState(owner: StateOwner): Promise<StateEntry[]> {
    return this.services.states.list(this.bot.actor.id, owner);
  }

  async writeState(changes: readonly StateChange[]): Promise<void> {
    await this.services.states.write(this.bot.actor.id, changes, { fence: this.fence });
    this.services.alarms.apply(this.bot.actor.id, changes);
  }

  report(report: BotReport): void {
    this.services.reporter.report(report);
  }

  /**
   * Waits until the rate limit lets the bot write.
   *
   * @throws ProtocolError `forbidden` without the scope, `rate_limited` if the wait is too long
   */
  private async requireWrite(command: CommandName, room: string): Promise<void> {
    const { rooms, bucket, name } = this.bot;
    const { clock } = this.services;
    checkBotCall(command, rooms.get(room)?.scopes ?? new Set());
    const deadline = clock.now() + LONGEST_WAIT_MS;
    for (;;) {
      const retryAfterMs = bucket.consume();
      if (retryAfterMs === 0) return;
      if (clock.now() + retryAfterMs > deadline) {
        this.report({ bot: name, kind: 'rate', room });
        throw new ProtocolError('rate_limited', { retryAfterMs });
      }
      await new Promise<void>((resolve) => clock.after(retryAfterMs, resolve));
    }
  }
}
