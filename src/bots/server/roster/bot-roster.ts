import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { TokenBucket } from '../../../limits/token-bucket.js';
import { CONFIG, type Config } from '../../../config/config.js';
import { Reader } from '../../../database/reader.js';
import type { AppendedEvent, WriteTransaction } from '../../../database/write-job.js';
import { Writer } from '../../../database/writer.js';
import type { BotHello, BotScope } from '../../../protocol/bots.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { Member, Room, User } from '../../../protocol/models.js';
import { foldRoomName } from '../../../protocol/names.js';
import type { FeedListener } from '../../../store/log-feed.js';
import { MemberEntity } from '../../../store/member.entity.js';
import { findHead } from '../../../store/room-log.js';
import { findMember, findRoom, isMember } from '../../../store/room-rows.js';
import { RoomsService } from '../../../rooms/rooms.service.js';
import { BotAccounts, type RegisteredBot } from '../../../users/bot-accounts.js';
import { ReservedNames } from '../../../users/reserved-names.js';
import { UsersService } from '../../../users/users.service.js';
import { BotAccount } from './bot-account.js';
import { BotAlarmClock } from '../state/bot-alarm-clock.js';
import { listBotsOfSetting, listMemberships, watchRooms } from './membership-rows.js';
import { markEntry } from '../state/bot-marks.js';
import { BotMemberships } from './bot-memberships.js';
import { BUILT_IN_BOTS } from '../../built-in/built-in-bots.js';
import { BotClock } from '../../kit/bot-clock.js';
import { BotExplorer } from '../../kit/bot-explorer.js';
import { BotSetupError } from '../../kit/bot-definition.js';
import { BotReporter } from '../../kit/bot-reporter.js';
import { chooseBots } from '../../kit/choose-bots.js';

/** Number of memberships that one transaction removes. */
const LEAVE_BATCH = 50;

/** The result of adding a bot to a room. */
export interface BotEntry {
  readonly room: string;
  readonly member: Member;
  readonly scopes: readonly BotScope[];
  /** Position in the log of the room at which the scopes apply. */
  readonly seq: number;
}

/** The bots of this server and their memberships. */
@Injectable()
export class BotRoster implements OnApplicationBootstrap, FeedListener {
  private readonly bots = new Map<string, BotAccount>();
  readonly memberships = new BotMemberships();
  /** Scopes of bots that join, until the join is announced. */
  private readonly entering = new Map<string, readonly BotScope[]>();
  private readonly listeners: ((bot: BotAccount) => void)[] = [];

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly rooms: RoomsService,
    private readonly users: UsersService,
    private readonly accounts: BotAccounts,
    private readonly reserved: ReservedNames,
    private readonly explorer: BotExplorer,
    private readonly reporter: BotReporter,
    private readonly alarms: BotAlarmClock,
    private readonly clock: BotClock,
  ) {}

  /** Loads the bots of the app and their rooms, and applies PARLANCE_ROOM_BOTS. */
  async onApplicationBootstrap(): Promise<void> {
    const found = this.explorer.explore((report) => this.reporter.report(report));
    const { withoutBots: without } = this.config;
    for (const definition of chooseBots(found, { builtIn: BUILT_IN_BOTS, without })) {
      this.add(BotAccount.local(definition, this.newBucket()));
    }
    for (const registered of await this.accounts.list()) this.refresh(registered);
    for (const name of this.config.roomBots) {
      if (this.find(name) !== undefined) continue;
      const known = this.all().map((bot) => bot.name);
      throw new BotSetupError(
        `PARLANCE_ROOM_BOTS names ${name}, which is not a bot of this server: use ${known.join(', ')}.`,
      );
    }
    await this.loadRooms();
    await this.applySetting();
  }

  /** Reads what other servers have changed. */
  async update(): Promise<void> {
    if (this.config.isDatabaseShared) await this.reload();
  }

  /** Fires the alarms of all bots from now on. */
  async startAlarms(): Promise<void> {
    this.alarms.start();
    for (const { actor } of this.bots.values()) await this.alarms.load(actor.id);
  }

  /** Registers a listener that is called when a bot joins or leaves a room. */
  onRoomsChanged(listener: (bot: BotAccount) => void): void {
    this.listeners.push(listener);
  }

  /** Returns all bots, sorted by name. */
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
   * Finds a bot by its name, even a remote bot that was registered after the start.
   *
   * @throws ProtocolError `not_found`
   */
  async get(name: string): Promise<BotAccount> {
    const bot = this.find(name);
    if (bot !== undefined) return bot;
    const registered = await this.accounts.find(name);
    if (registered !== null) return this.refresh(registered);
    throw noSuchBot(name);
  }

  /** Returns whether a bot of this name runs here or is registered. */
  async exists(name: string): Promise<boolean> {
    return this.find(name) !== undefined || (await this.accounts.find(name)) !== null;
  }

  /**
   * Finds a bot that connects, and applies its current registration.
   *
   * @throws ProtocolError `not_found`
   */
  async getForLogin(name: string): Promise<BotAccount> {
    const registered = await this.accounts.find(name);
    if (registered === null) return this.get(name);
    const isNew = this.find(name) === undefined;
    const bot = this.refresh(registered);
    // Another process may have added it to rooms.
    if (isNew) await this.loadRooms();
    return bot;
  }

  /** Adds or updates a remote bot; a bot of the app with the same name takes precedence. */
  private refresh(registered: RegisteredBot): BotAccount {
    const known = this.find(registered.name);
    if (known?.isRemote === true) known.updateRegistration(registered);
    return known ?? this.add(BotAccount.remote(registered, this.newBucket()));
  }

  /**
   * Sets the commands that a remote bot names in its `hello`.
   *
   * @throws ProtocolError `invalid` for a command of another bot
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

  private add(bot: BotAccount): BotAccount {
    this.bots.set(bot.actor.id, bot);
    this.reserved.reserve(bot.name);
    return bot;
  }

  committed(events: readonly AppendedEvent[]): void {
    for (const { log, event } of events) {
      if (event.event === 'member.left') this.left(event.data.user.id, log, event.data.seq);
      if (event.event === 'member.joined') {
        this.joined(event.data.member.user, log, event.data.seq);
      }
    }
  }

  restored(): void {
    // Scopes of a join whose outcome was unknown, and joins of rooms that are not in memory, are
    // only in the database.
    this.entering.clear();
    this.reloadRooms();
  }

  /**
   * Adds a bot to a room in a transaction; a bot that is a member gets the scopes.
   *
   * The membership takes effect when the join is announced, in order with all events of the room:
   * when the transaction resolves, the bot may already have been removed again.
   */
  async admit(
    tx: WriteTransaction,
    bot: BotAccount,
    room: Room,
    scopes: readonly BotScope[],
    bySetting = false,
  ): Promise<BotEntry> {
    const { actor } = bot;
    const found = await findMember(tx.sql, room, actor.id);
    if (found !== null) {
      const key = { roomId: room.id, userId: actor.id };
      await tx.manager.update(MemberEntity, key, { scopes: scopes.join(' '), bySetting });
      const seq = await headOf(tx, room.id);
      return { room: room.id, member: found, scopes, seq };
    }
    await this.users.store(tx, actor);
    const member = await this.rooms.addMember(tx, room, actor, scopes, bySetting);
    if (bot.isRemote || this.config.isDatabaseShared) await markEntry(tx, actor.id, room.id);
    const seq = await headOf(tx, room.id);
    const id = entryId(actor.id, room.id, seq);
    this.entering.set(id, scopes);
    tx.ifUndone(() => this.entering.delete(id));
    return { room: room.id, member, scopes, seq };
  }

  /** Applies the scopes of an entry, unless the bot has left or rejoined since. */
  grant(bot: BotAccount, { room, scopes, seq }: BotEntry): void {
    if (bot.rooms.has(room) && seq >= (bot.changedAt.get(room) ?? 0))
      this.setMembership(bot, room, scopes);
  }

  private joined({ id, kind }: User, room: string, seq: number): void {
    const bot = this.bots.get(id);
    if (bot === undefined) {
      // Registered after the start, and added by another process.
      if (kind === 'bot') this.reloadRooms();
      return;
    }
    const scopes = this.entering.get(entryId(id, room, seq));
    if (scopes === undefined) {
      // The outcome of the join was unknown, or another process has committed it.
      this.reloadRooms();
      return;
    }
    this.entering.delete(entryId(id, room, seq));
    bot.changedAt.set(room, seq);
    this.setMembership(bot, room, scopes);
  }

  private left(id: string, room: string, seq: number): void {
    const bot = this.bots.get(id);
    if (bot === undefined) return;
    bot.changedAt.set(room, seq);
    this.deleteMembership(bot, room);
  }

  private setMembership(bot: BotAccount, room: string, scopes: readonly BotScope[]): void {
    this.memberships.set(bot, room, scopes);
    for (const listener of this.listeners) listener(bot);
  }

  private deleteMembership(bot: BotAccount, room: string): void {
    this.memberships.delete(bot, room);
    for (const listener of this.listeners) listener(bot);
  }

  private reloadRooms(): void {
    this.reload().catch((error: unknown) => {
      for (const { name: bot } of this.all()) this.reporter.report({ bot, kind: 'error', error });
    });
  }

  private async reload(): Promise<void> {
    for (const registered of await this.accounts.list()) this.refresh(registered);
    await this.loadRooms();
  }

  /** Reads the memberships of all bots from the database. */
  private async loadRooms(): Promise<void> {
    const isChanged = watchRooms(this.all());
    const found = await this.reader.snapshot(({ sql }) => listMemberships(sql));
    for (const bot of this.bots.values()) {
      const own = found.filter((one) => one.bot === bot.actor.id);
      const rooms = new Set(own.map(({ room }) => room));
      for (const room of [...bot.rooms.keys()]) {
        if (!rooms.has(room) && !isChanged(bot, room)) this.deleteMembership(bot, room);
      }
      for (const { room, scopes } of own)
        if (!isChanged(bot, room)) this.setMembership(bot, room, scopes);
    }
  }

  /** Adds the bots of the setting to the default room, and removes bots that it no longer names. */
  private async applySetting(): Promise<void> {
    const title = this.config.defaultRoom;
    const id = foldRoomName(title) ?? title;
    const present = await this.reader.snapshot(({ sql }) => listBotsOfSetting(sql, id));
    const unnamed = present.filter(({ user }) => !this.config.roomBots.includes(user.name));
    for (let at = 0; at < unnamed.length; at += LEAVE_BATCH) {
      await this.removeAll(unnamed.slice(at, at + LEAVE_BATCH));
    }
    const entries = await this.writer.run([id], async (tx) => {
      const room = await findRoom(tx.sql, id);
      return room === null ? [] : this.addConfigured(tx, room.info);
    });
    for (const [bot, entry] of entries) this.grant(bot, entry);
  }

  private async removeAll(memberships: readonly { room: string; user: User }[]): Promise<void> {
    const rooms = new Set(memberships.map(({ room }) => room));
    await this.writer.run([...rooms], async (tx) => {
      for (const { room, user } of memberships) {
        if (!(await isMember(tx.sql, room, user.id))) continue;
        await this.rooms.leaveIn(tx, user, room, 'left');
      }
    });
  }

  /**
   * Adds the bots of PARLANCE_ROOM_BOTS to a room, with all scopes that they want.
   *
   * For a new room, this is part of the transaction that creates it, so that the bots see its
   * first message.
   */
  async addConfigured(tx: WriteTransaction, room: Room): Promise<[BotAccount, BotEntry][]> {
    const entries: [BotAccount, BotEntry][] = [];
    for (const name of this.config.roomBots) {
      const bot = this.find(name);
      if (bot === undefined) continue;
      entries.push([bot, await this.admit(tx, bot, room, [...bot.wanted], true)]);
    }
    return entries;
  }
}

/** Returns the error for a bot that does not exist. */
export function noSuchBot(name: string): ProtocolError {
  return new ProtocolError('not_found', { message: `There is no bot ${name} here.` });
}

async function headOf(tx: WriteTransaction, room: string): Promise<number> {
  return (await findHead(tx, room))?.seq ?? 0;
}

function entryId(...parts: readonly [botId: string, room: string, seq: number]): string {
  return JSON.stringify(parts);
}
