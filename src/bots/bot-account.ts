import { TokenBucket, type BucketRate } from '../chat/token-bucket.js';
import type { BotScope } from '../protocol/bots.js';
import type { LogEventName } from '../protocol/events.js';
import type { Actor } from '../users/actor.js';
import { botActor, type RegisteredBot } from '../users/bot-accounts.service.js';
import { BotRest } from './bot-rest.js';
import { argumentNames } from './runtime/bot-arguments.js';
import type { BotDefinition } from './runtime/bot-manifest.js';
import { mayWant } from './runtime/bot-runner.js';

/** A command of a bot as people are told of it. */
export interface CommandHelp {
  readonly name: string;
  readonly help: string;
  readonly args: readonly string[];
}

/** A bot of this server: what it is, who it is, where it is, and how it fares. */
export class BotAccount {
  readonly actor: Actor;
  readonly rest = new BotRest();
  readonly bucket: TokenBucket;
  /** Scopes by room. */
  readonly rooms = new Map<string, ReadonlySet<BotScope>>();
  /** Whether messages of other bots are for it, if it is one from afar. */
  takesBots = false;
  private help: readonly CommandHelp[];
  private commandNames: ReadonlySet<string>;

  private constructor(
    readonly name: string,
    readonly about: string,
    readonly wanted: ReadonlySet<BotScope>,
    /** Its handlers; null for a bot from afar. */
    readonly definition: BotDefinition | null,
    rate: BucketRate,
  ) {
    this.actor = botActor(name);
    this.bucket = new TokenBucket(rate);
    this.help = definition === null ? [] : helpOf(definition);
    this.commandNames = new Set(this.help.map((command) => command.name));
  }

  /** Makes a bot whose handlers run in this process. */
  static here(definition: BotDefinition, rate: BucketRate): BotAccount {
    const { name, about, scopes } = definition;
    return new BotAccount(name, about, scopes, definition, rate);
  }

  /** Makes a bot that connects from afar. */
  static afar({ name, about, scopes }: RegisteredBot, rate: BucketRate): BotAccount {
    return new BotAccount(name, about, new Set(scopes), null, rate);
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
    return mayWant(this.definition, event, fromBot);
  }
}

function helpOf({ handlers }: BotDefinition): CommandHelp[] {
  return handlers.flatMap(({ options }) => {
    if (options.on !== 'command') return [];
    const { name, help, args } = options;
    return [{ name, help, args: args === undefined ? [] : argumentNames(args) }];
  });
}
