import type { BotHello } from '../../protocol/bots.js';
import type { Entrant } from '../../rooms/direct-rooms.js';
import type { Message } from '../../protocol/models.js';
import type { Actor } from '../../store/actor.js';
import type { Call } from '../connections/call.js';

/** Token of the {@link BotPort}; `parlance.module.ts` binds it. */
export const BOT_PORT = Symbol('BotPort');

/** The interface through which chat/ uses bots, whose implementation it does not import. */
export interface BotPort {
  /** Admits the connection of a remote bot; returns an action to run right after the welcome. */
  enter(call: Call, hello: BotHello): Promise<() => void>;
  /**
   * Checks that a bot may run a command; sets the hops of the messages that it may be answering.
   *
   * @throws ProtocolError `forbidden`
   */
  check(call: Call, data: unknown): void;
  /**
   * Checks that a message is visible to a bot (P-6.13).
   *
   * @throws ProtocolError `not_found`
   */
  checkRead(call: Call, message: Message): Promise<void>;
  /**
   * Checks that a bot may write in some room, before it uploads a file; ignores other actors.
   *
   * @throws ProtocolError `forbidden`
   */
  checkUpload(actor: Actor): void;
  /** Returns whether a message is visible to a bot (P-6.13). */
  mayReadMessage(actor: Actor, place: { room: string; message: string }): Promise<boolean>;
  /** Finds a bot by its user id, to make it a member of a direct room (P-5.17). */
  findEntrant(userId: string): Promise<Entrant | undefined>;
}
