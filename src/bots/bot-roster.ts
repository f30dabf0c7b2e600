import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { TokenBucket } from '../chat/token-bucket.js';
import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import {
  Writer,
  type AppendedEvent,
  type CommitListener,
  type WriteTransaction,
} from '../database/writer.js';
import type { BotHello, BotScope } from '../protocol/bots.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Member, Room } from '../protocol/models.js';
import { foldRoomName } from '../protocol/names.js';
import { MemberEntity } from '../rooms/member.entity.js';
import { findRoom, listMembers } from '../rooms/room-rows.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { BotAccounts, type RegisteredBot } from '../users/bot-accounts.service.js';
import { ReservedNames } from '../users/reserved-names.js';
import { UsersService } from '../users/users.service.js';
import { BotAccount } from './bot-account.js';
import { BotAlarmClock } from './bot-alarm-clock.js';
import { listMemberships, watchRooms } from './bot-memberships.js';
import { markEntry } from './bot-marks.service.js';
import { BotSeats } from './bot-seats.js';
import { BUILT_IN_BOTS } from './built-in.js';
import { BotClock } from './runtime/bot-clock.js';
import { BotExplorer } from './runtime/bot-explorer.js';
import { BotSetupError } from './runtime/bot-manifest.js';
import { BotReporter } from './runtime/bot-reporter.js';
import { chooseBots } from './runtime/choose-bots.js';

/** What a bot was given in a room, and where in the log of the room that was. */
export interface BotEntry {
  readonly room: string;
  readonly member: Member;
  readonly scopes: readonly BotScope[];
  readonly seq: number;
}

/** The bots of this server, and the rooms that they are in. */
@Injectable()
export class BotRoster implements OnApplicationBootstrap, CommitListener {
  private readonly bots = new Map<string, BotAccount>();
  readonly seats = new BotSeats();
  /** Scopes of bots that come into a room, until the room is told. */
  private readonly entering = new Map<string, readonly BotScope[]>();
  private roomsChanged: (bot: BotAccount) => void = () => undefined;

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
    @Inject(BotClock) private readonly clock: BotClock,
  ) {
    writer.listen(this);
  }

  /** Finds the bots of the app and the rooms that they are in; adds those of the configuration. */
  async onApplicationBootstrap(): Promise<void> {
    const found = this.explorer.explore((report) => this.reporter.report(report));
    const { withoutBots: without } = this.config;
    for (const definition of chooseBots(found, { builtIn: BUILT_IN_BOTS, without })) {
      this.take(BotAccount.here(definition, this.newBucket()));
    }
    for (const registered of await this.accounts.list()) this.enter(registered);
    for (const name of this.config.roomBots) {
      if (this.find(name) !== undefined) continue;
      const known = this.all().map((bot) => bot.name);
      throw new BotSetupError(
        `PARLANCE_ROOM_BOTS names ${name}, which is no bot here: use ${known.join(', ')}.`,
      );
    }
    await this.loadRooms();
    const room = this.config.defaultRoom;
    await this.addConfigured(foldRoomName(room) ?? room);
    for (const { actor } of this.bots.values()) await this.alarms.start(actor.id);
  }

  /** Sets who is told when a bot came into a room, or left one. */
  onRoomsChanged(listener: (bot: BotAccount) => void): void {
    this.roomsChanged = listener;
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

  /**
   * Gives a bot that connects, as it is registered now.
   *
   * @throws ProtocolError `not_found`
   */
  async getAnew(name: string): Promise<BotAccount> {
    const registered = await this.accounts.find(name);
    return registered === null ? this.get(name) : this.enter(registered);
  }

  /** Takes in a bot from afar as it is registered; a bot of the app has its name to itself. */
  private enter(registered: RegisteredBot): BotAccount {
    const known = this.find(registered.name);
    if (known?.definition === null) known.registered(registered);
    return known ?? this.take(BotAccount.afar(registered, this.newBucket()));
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

  private newBucket(): TokenBucket {
    const { messagesPerSecond: perSecond, messagesBurst: burst } = this.config.limits;
    return new TokenBucket({ perSecond, burst }, () => this.clock.now());
  }

  private take(bot: BotAccount): BotAccount {
    this.bots.set(bot.actor.id, bot);
    this.reserved.reserve(bot.name);
    return bot;
  }

  /** Gives the bots in a room. */
  inRoom(room: string): readonly BotAccount[] {
    return this.seats.botsIn(room);
  }

  committed(events: readonly AppendedEvent[]): void {
    for (const { log, event } of events) {
      if (event.event === 'room.created') this.addConfiguredLater(log);
      if (event.event === 'member.left') this.left(event.data.user.id, log, event.data.seq);
      if (event.event === 'member.joined') {
        this.joined(event.data.member.user.id, log, event.data.seq);
      }
    }
  }

  lost(): void {
    // What was committed and never announced is in the database alone.
    this.entering.clear();
    this.loadRooms().catch((error: unknown) => {
      for (const { name: bot } of this.all()) this.reporter.report({ bot, kind: 'error', error });
    });
  }

  /**
   * Makes a bot a member of a room, in a transaction; one that is a member gets the scopes.
   *
   * The bot is in the room when the room is told, in the order of all that happens there: who
   * waits for the commit may find that it was removed again meanwhile.
   */
  async admit(
    tx: WriteTransaction,
    bot: BotAccount,
    room: Room,
    scopes: readonly BotScope[],
  ): Promise<BotEntry> {
    const { actor } = bot;
    const members = await listMembers(tx.sql, room);
    const found = members.find(({ user }) => user.id === actor.id);
    if (found !== undefined) {
      const key = { roomId: room.id, userId: actor.id };
      await tx.manager.update(MemberEntity, key, { scopes: scopes.join(' ') });
      const seq = await headOf(tx, room.id);
      return { room: room.id, member: found, scopes, seq };
    }
    await this.users.store(tx, actor);
    const member = await this.rooms.addMember(tx, room, actor, scopes);
    if (bot.definition === null) await markEntry(tx, actor.id, room.id);
    const seq = await headOf(tx, room.id);
    const id = entryId(actor.id, room.id, seq);
    this.entering.set(id, scopes);
    tx.ifUndone(() => this.entering.delete(id));
    return { room: room.id, member, scopes, seq };
  }

  /** Gives a bot the scopes of an entry, unless it left or came anew since. */
  grant(bot: BotAccount, { room, scopes, seq }: BotEntry): void {
    if (bot.rooms.has(room) && seq >= (bot.changedAt.get(room) ?? 0)) this.note(bot, room, scopes);
  }

  private joined(id: string, room: string, seq: number): void {
    const bot = this.bots.get(id);
    const scopes = bot === undefined ? undefined : this.entering.get(entryId(id, room, seq));
    if (bot === undefined || scopes === undefined) return;
    this.entering.delete(entryId(id, room, seq));
    bot.changedAt.set(room, seq);
    this.note(bot, room, scopes);
  }

  private left(id: string, room: string, seq: number): void {
    const bot = this.bots.get(id);
    if (bot === undefined) return;
    bot.changedAt.set(room, seq);
    this.forget(bot, room);
  }

  private note(bot: BotAccount, room: string, scopes: readonly BotScope[]): void {
    this.seats.take(bot, room, scopes);
    this.roomsChanged(bot);
  }

  private forget(bot: BotAccount, room: string): void {
    this.seats.leave(bot, room);
    this.roomsChanged(bot);
  }

  /** Takes over from the database which bots are in which rooms. */
  private async loadRooms(): Promise<void> {
    const isChanged = watchRooms(this.all());
    const found = await this.reader.snapshot(({ sql }) => listMemberships(sql));
    for (const bot of this.bots.values()) {
      const own = found.filter((one) => one.bot === bot.actor.id);
      const stays = new Set(own.map(({ room }) => room));
      for (const room of [...bot.rooms.keys()]) {
        if (!stays.has(room) && !isChanged(bot, room)) this.forget(bot, room);
      }
      for (const { room, scopes } of own) if (!isChanged(bot, room)) this.note(bot, room, scopes);
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

  private async add(bot: BotAccount, room: string, scopes: readonly BotScope[]): Promise<void> {
    const entry = await this.writer.run(async (tx) => {
      const found = await findRoom(tx.sql, room);
      return found?.info.kind === 'public' ? this.admit(tx, bot, found.info, scopes) : null;
    });
    if (entry !== null) this.grant(bot, entry);
  }
}

async function headOf({ sql }: WriteTransaction, room: string): Promise<number> {
  return (await findRoom(sql, room))?.head ?? 0;
}

function entryId(...parts: readonly [botId: string, room: string, seq: number]): string {
  return JSON.stringify(parts);
}
