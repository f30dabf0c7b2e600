import type { Chat } from '#client/index.js';

import type { LogEvent } from '../../protocol/events.js';
import type { Message, User } from '../../protocol/models.js';
import { addressOf, type Address, type Addressee } from '../kit/addressing.js';
import type { BotTrigger } from '../kit/bot-context.js';
import { authorOf, isDirect, type AlarmEvent, type BotEvent } from '../kit/bot-event.js';
import type { BotHost } from '../kit/bot-host.js';
import type { BotDefinition } from '../kit/bot-definition.js';
import { commandsOf } from '../kit/command-help.js';
import { handledEvents } from '../kit/handler-match.js';
import { KnownUsers } from './known-users.js';
import { orNull } from './refusals.js';

/** Decides what triggers a bot of this program; the server has filtered the events (P-13.2). */
export class StandaloneTriggers {
  private readonly addressee: Addressee;
  private readonly users: KnownUsers;
  private readonly wanted: ReadonlySet<BotEvent['event']>;

  constructor(
    bot: BotDefinition,
    private readonly chat: Chat,
    private readonly host: BotHost,
  ) {
    this.addressee = { name: bot.name, commands: new Set(commandsOf(bot).map(({ name }) => name)) };
    this.wanted = handledEvents(bot);
    this.users = new KnownUsers(async (user) => {
      const got = await orNull(this.chat.call('user.get', { user }), 'not_found');
      return got?.user ?? null;
    });
  }

  /** Returns the trigger for an event; null if no handler wants it. */
  async find(event: LogEvent): Promise<BotTrigger | null> {
    if (!this.wanted.has(event.event)) return null;
    const author = await this.findAuthor(event);
    if (event.event !== 'message.created') return { event, message: null, author, address: null };
    const { message } = event.data;
    return { event, message, author, address: await this.addressOf(message) };
  }

  /** Returns the trigger for an alarm; null if it was cancelled or changed since it fired. */
  async findForAlarm(event: AlarmEvent): Promise<BotTrigger | null> {
    const { room, key, at } = event.data;
    const owner = { alarms: room };
    const set = await orNull(this.host.readState(owner, key), 'not_found', 'not_member');
    if ((set as { at: number } | null | undefined)?.at !== at) return null;
    return { event, message: null, author: null, address: null };
  }

  private async addressOf({ text, replyTo, room }: Message): Promise<Address | null> {
    const named = addressOf(text, this.addressee, { repliesToBot: false, isDirect: false });
    if (named !== null) return named;
    const replied = replyTo === undefined ? null : await this.host.findMessage(room, replyTo);
    const repliesToBot = replied !== null && replied.sender.id === this.chat.welcome?.user.id;
    return addressOf(text, this.addressee, { repliesToBot, isDirect: isDirect(room) });
  }

  private async findAuthor(event: LogEvent): Promise<User | null> {
    const author = authorOf(event);
    if (typeof author === 'string') return this.users.get(author);
    if (author !== null) this.users.add(author);
    return author;
  }
}
