import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { Writer, type AppendedEvent, type CommitListener } from '../database/writer.js';
import { DEFAULT_SCOPES, type BotHello, type BotScope } from '../protocol/bots.js';
import { ProtocolError } from '../protocol/errors.js';
import { foldRoomName } from '../protocol/names.js';
import { findRoom, isMember } from '../rooms/room-rows.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { BotAccounts, type RegisteredBot } from '../users/bot-accounts.service.js';
import { ReservedNames } from '../users/reserved-names.js';
import { UsersService } from '../users/users.service.js';
import { BotAccount } from './bot-account.js';
import { BotAlarmClock } from './bot-alarm-clock.js';
import { BotExplorer } from './bot-explorer.js';
import { BotReporter } from './bot-reporter.js';
import { BotSetupError } from './runtime/bot-manifest.js';

/** The bots of this server, and the rooms that they are in. */
@Injectable()
export class BotRoster implements OnApplicationBootstrap, CommitListener {
  private readonly bots = new Map<string, BotAccount>();
  private readonly byRoom = new Map<string, Set<BotAccount>>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomsService) private readonly rooms: RoomsService,
    @Inject(UsersService) private readonly users: UsersService,
    @Inject(BotAccounts) private readonly accounts: BotAccounts,
    @Inject(ReservedNames) private readonly reserved: ReservedNames,
    @Inject(BotExplorer) private readonly explorer: BotExplorer,
    @Inject(BotReporter) private readonly reporter: BotReporter,
    @Inject(BotAlarmClock) private readonly alarms: BotAlarmClock,
  ) {
    writer.listen(this);
  }

  /** Finds the bots of the app and the rooms that they are in; adds those of the configuration. */
  async onApplicationBootstrap(): Promise<void> {
    const { messagesPerSecond: perSecond, messagesBurst: burst } = this.config.limits;
    for (const definition of this.explorer.explore((report) => this.reporter.report(report))) {
      this.take(BotAccount.here(definition, { perSecond, burst }));
    }
    for (const registered of await this.accounts.list()) this.enter(registered);
    for (const name of this.config.roomBots) {
      if (this.find(name) !== undefined) continue;
      const known = this.all().map((bot) => bot.name);
      throw new BotSetupError(
        `PARLANCE_ROOM_BOTS names ${name}, which is no bot here: use ${known.join(', ')}.`,
      );
    }
    for (const bot of this.bots.values()) await this.loadRooms(bot);
    const room = this.config.defaultRoom;
    await this.addConfigured(foldRoomName(room) ?? room);
    for (const { actor } of this.bots.values()) await this.alarms.start(actor.id);
  }

  /** Gives all bots, by name. */
  all(): BotAccount[] {
    return [...this.bots.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Finds a bot by its name. */
  find(name: string): BotAccount | undefined {
    return this.all().find((bot) => bot.name === name);
  }

  /** Finds a bot by its user id. */
  findById(id: string): BotAccount | undefined {
    return this.bots.get(id);
  }

  /**
   * Gives a bot by its name; one from afar may have been registered just now.
   *
   * @throws ProtocolError `not_found`
   */
  async get(name: string): Promise<BotAccount> {
    const bot = this.find(name);
    if (bot !== undefined) return bot;
    const registered = await this.accounts.find(name);
    if (registered !== null) return this.enter(registered);
    throw new ProtocolError('not_found', { message: `There is no bot ${name} here.` });
  }

  /** Takes in a bot that connects from afar. */
  enter(registered: RegisteredBot): BotAccount {
    const { messagesPerSecond: perSecond, messagesBurst: burst } = this.config.limits;
    return (
      this.find(registered.name) ?? this.take(BotAccount.afar(registered, { perSecond, burst }))
    );
  }

  /**
   * Takes the commands that a bot from afar says it has.
   *
   * @throws ProtocolError `invalid` for one that another bot has
   */
  setCommands(bot: BotAccount, help: NonNullable<BotHello['commands']>): void {
    for (const { name } of help) {
      const other = this.all().find((one) => one !== bot && one.commands.has(name));
      if (other === undefined) continue;
      const message = `The command /${name} belongs to the bot ${other.name}.`;
      throw new ProtocolError('invalid', { message });
    }
    bot.setCommands(help.map(({ args = [], ...command }) => ({ ...command, args })));
  }

  private take(bot: BotAccount): BotAccount {
    this.bots.set(bot.actor.id, bot);
    this.reserved.reserve(bot.name);
    return bot;
  }

  /** Gives the bots in a room. */
  inRoom(room: string): ReadonlySet<BotAccount> | undefined {
    return this.byRoom.get(room);
  }

  committed(events: readonly AppendedEvent[]): void {
    for (const { log, event } of events) {
      if (event.event === 'room.created') this.addConfiguredLater(log);
      if (event.event === 'member.left') this.forget(event.data.user.id, log);
    }
  }

  lost(): void {
    // Which rooms a bot is in is told by commits that were announced: nothing is lost here.
  }

  /** Notes that a bot is in a room; from the next event on it gets what it may see. */
  note(bot: BotAccount, room: string, scopes: readonly BotScope[]): void {
    bot.rooms.set(room, new Set(scopes));
    const bots = this.byRoom.get(room) ?? new Set();
    this.byRoom.set(room, bots.add(bot));
  }

  private forget(id: string, room: string): void {
    const bot = this.bots.get(id);
    if (bot === undefined) return;
    bot.rooms.delete(room);
    const bots = this.byRoom.get(room);
    bots?.delete(bot);
    if (bots?.size === 0) this.byRoom.delete(room);
  }

  private async loadRooms(bot: BotAccount): Promise<void> {
    const rows = await this.reader.snapshot(({ sql }) =>
      sql.all<{ room: string; scopes: string | null }>(
        'SELECT room_id AS room, scopes FROM members WHERE user_id = ?',
        bot.actor.id,
      ),
    );
    for (const { room, scopes } of rows) {
      const granted = scopes === null ? DEFAULT_SCOPES : (scopes.split(' ') as BotScope[]);
      this.note(bot, room, granted);
    }
  }

  private addConfiguredLater(room: string): void {
    // A room that is made before the bots are known gets them when they are.
    if (this.config.roomBots.length === 0 || this.bots.size === 0) return;
    this.addConfigured(room).catch((error: unknown) => {
      for (const bot of this.config.roomBots) {
        this.reporter.report({ bot, kind: 'error', room, error });
      }
    });
  }

  /** Adds the bots of the configuration to a room, with all the scopes that they want. */
  private async addConfigured(room: string): Promise<void> {
    for (const name of this.config.roomBots) {
      const bot = await this.get(name);
      await this.add(bot, room, [...bot.wanted]);
    }
  }

  /** Makes a bot a member of a room; one that is a member already gets the scopes. */
  private async add(bot: BotAccount, room: string, scopes: readonly BotScope[]): Promise<void> {
    const { actor } = bot;
    await this.writer.run(async (tx) => {
      const found = await findRoom(tx.sql, room);
      if (found === null || (await isMember(tx.sql, room, actor.id))) return;
      await this.users.store(tx, actor);
      await this.rooms.addMember(tx, found.info, actor, scopes);
    });
    this.note(bot, room, scopes);
  }
}
