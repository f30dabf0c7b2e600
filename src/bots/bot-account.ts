import type { TokenBucket } from '../chat/token-bucket.js';
import type { BotScope } from '../protocol/bots.js';
import type { LogEventName } from '../protocol/events.js';
import type { Actor } from '../users/actor.js';
import { botActor, type RegisteredBot } from '../users/bot-accounts.service.js';
import type { BotSeat } from './bot-seats.js';
import { GivenHops } from './given-hops.js';
import type { BotDefinition } from './runtime/bot-manifest.js';
import { BotRest } from './runtime/bot-rest.js';
import { helpOf, type CommandHelp } from './runtime/command-help.js';
import { wantedEvents } from './runtime/handler-fit.js';

/** A bot of this server: what it is, who it is, where it is, and how it fares. */
export class BotAccount {
  readonly actor: Actor;
  readonly rest = new BotRest();
  /** Its places, by room. */
  readonly rooms = new Map<string, BotSeat>();
  /** By room: where in its log the bot came or went last, as far as this process has seen it. */
  readonly changedAt = new Map<string, number>();
  /** What it was given lately, if it is one from afar. */
  readonly given = new GivenHops();
  /** Whether messages of other bots are for it, if it is one from afar. */
  takesBots = false;
  /** Events that its handlers want, and those that they want if a bot is the author. */
  private readonly handled: ReadonlySet<string>;
  private readonly handledOfBots: ReadonlySet<string>;
  private help: readonly CommandHelp[];
  private commandNames: ReadonlySet<string>;

  private constructor(
    readonly name: string,
    private aboutText: string,
    private wantedScopes: ReadonlySet<BotScope>,
    /** Its handlers; null for a bot from afar. */
    readonly definition: BotDefinition | null,
    /** How fast it may write. */
    readonly bucket: TokenBucket,
  ) {
    this.actor = botActor(name);
    this.handled = definition === null ? new Set() : wantedEvents(definition);
    this.handledOfBots = definition === null ? new Set() : wantedEvents(definition, true);
    this.help = definition === null ? [] : helpOf(definition);
    this.commandNames = new Set(this.help.map((command) => command.name));
  }

  /** Makes a bot whose handlers run in this process. */
  static here(definition: BotDefinition, bucket: TokenBucket): BotAccount {
    const { name, about, scopes } = definition;
    return new BotAccount(name, about, scopes, definition, bucket);
  }

  /** Makes a bot that connects from afar. */
  static afar({ name, about, scopes }: RegisteredBot, bucket: TokenBucket): BotAccount {
    return new BotAccount(name, about, new Set(scopes), null, bucket);
  }

  /** One line for `/help`. */
  get about(): string {
    return this.aboutText;
  }

  /** The scopes that it asks for. */
  get wanted(): ReadonlySet<BotScope> {
    return this.wantedScopes;
  }

  /** Takes what a bot from afar was registered with, which may have changed. */
  registered({ about, scopes }: RegisteredBot): void {
    this.aboutText = about;
    this.wantedScopes = new Set(scopes);
  }

  /** Names of its commands. */
  get commands(): ReadonlySet<string> {
    return this.commandNames;
  }

  /** Its commands, for help and completion. */
  get commandHelp(): readonly CommandHelp[] {
    return this.help;
  }

  /** Takes the commands that a bot from afar says it has. */
  setCommands(help: readonly CommandHelp[]): void {
    this.help = help;
    this.commandNames = new Set(help.map((command) => command.name));
  }

  /** Tells whether some handler may want an event; a bot from afar decides for itself. */
  mayWant(event: LogEventName, fromBot: boolean): boolean {
    if (this.definition === null) return !fromBot || this.takesBots;
    return (fromBot ? this.handledOfBots : this.handled).has(event);
  }
}
