import type { TokenBucket } from '../../../limits/token-bucket.js';
import type { BotScope } from '../../../protocol/bots.js';
import type { LogEventName } from '../../../protocol/events.js';
import type { Actor } from '../../../store/actor.js';
import { botActor, type RegisteredBot } from '../../../users/bot-accounts.js';
import { BotBackoff } from '../../kit/bot-backoff.js';
import type { BotDefinition } from '../../kit/bot-definition.js';
import { commandsOf, type BotCommandHelp } from '../../kit/command-help.js';
import { handledEvents } from '../../kit/handler-match.js';
import { HopTracker } from './hop-tracker.js';

/** A bot in a room; immutable, and replaced when the scopes change. */
export interface BotMembership {
  readonly bot: BotAccount;
  readonly room: string;
  readonly scopes: ReadonlySet<BotScope>;
  /** Whether the bot has the scope `messages:read`. */
  readonly readsAll: boolean;
  /** Position in the log of the room at which the bot joined; 0 if it joined before the start. */
  readonly since: number;
}

/** A bot of this server: its identity, registration, rooms and state of health. */
export class BotAccount {
  readonly actor: Actor;
  readonly backoff = new BotBackoff();
  /** Memberships by room. */
  readonly rooms = new Map<string, BotMembership>();
  /** By room: log position at which the bot last joined or left, if that was since the start. */
  readonly changedAt = new Map<string, number>();
  /** Hops of the messages that were recently delivered to a remote bot. */
  readonly hops = new HopTracker();
  /** Whether a remote bot wants messages of other bots. */
  wantsBotMessages = false;
  /** Events that the handlers want, and those that they want from bots. */
  private readonly handled: ReadonlySet<string>;
  private readonly handledFromBots: ReadonlySet<string>;
  private help: readonly BotCommandHelp[];
  private commandNames: ReadonlySet<string>;

  private constructor(
    readonly name: string,
    private aboutText: string,
    private wantedScopes: ReadonlySet<BotScope>,
    /** The handlers; null for a remote bot. */
    readonly definition: BotDefinition | null,
    /** Rate limit for writing. */
    readonly bucket: TokenBucket,
  ) {
    this.actor = botActor(name);
    this.handled = definition === null ? new Set() : handledEvents(definition);
    this.handledFromBots = definition === null ? new Set() : handledEvents(definition, true);
    this.help = definition === null ? [] : commandsOf(definition);
    this.commandNames = new Set(this.help.map((command) => command.name));
  }

  /** Creates a bot whose handlers run in this process. */
  static local(definition: BotDefinition, bucket: TokenBucket): BotAccount {
    const { name, about, scopes } = definition;
    return new BotAccount(name, about, scopes, definition, bucket);
  }

  /** Creates a bot that connects over the network. */
  static remote({ name, about, scopes }: RegisteredBot, bucket: TokenBucket): BotAccount {
    return new BotAccount(name, about, new Set(scopes), null, bucket);
  }

  /** Whether the bot connects over the network. */
  get isRemote(): boolean {
    return this.definition === null;
  }

  /** One line for `/help`. */
  get about(): string {
    return this.aboutText;
  }

  /** The scopes that the bot asks for. */
  get wanted(): ReadonlySet<BotScope> {
    return this.wantedScopes;
  }

  /** Applies the current registration of a remote bot. */
  updateRegistration({ about, scopes }: RegisteredBot): void {
    this.aboutText = about;
    this.wantedScopes = new Set(scopes);
  }

  /** Names of the commands. */
  get commands(): ReadonlySet<string> {
    return this.commandNames;
  }

  /** The commands, for help and completion. */
  get commandHelp(): readonly BotCommandHelp[] {
    return this.help;
  }

  /** Replaces the commands of a remote bot by those of its `hello`. */
  setCommands(help: readonly BotCommandHelp[]): void {
    this.help = help;
    this.commandNames = new Set(help.map((command) => command.name));
  }

  /** Returns whether a handler may want an event; a remote bot filters the events itself. */
  handles(event: LogEventName, fromBot: boolean): boolean {
    if (this.isRemote) return !fromBot || this.wantsBotMessages;
    return (fromBot ? this.handledFromBots : this.handled).has(event);
  }
}
