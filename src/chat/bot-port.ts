import { Injectable } from '@nestjs/common';

import type { BotHello } from '../protocol/bots.js';
import type { Entrant } from '../rooms/direct-rooms.service.js';
import type { Message } from '../protocol/models.js';
import type { Call } from './call.js';

/** What bots from afar need of the chat; the bots module plugs it in. */
export interface BotPlug {
  /** Takes in the connection of a bot; what it gives back is called right after the welcome. */
  enter(call: Call, hello: BotHello): Promise<() => void>;
  /**
   * Refuses what a bot may not do; sets the hops of what it may be answering.
   *
   * @throws ProtocolError `forbidden`
   */
  check(call: Call, data: unknown): void;
  /**
   * Refuses a message that is not there for a bot (P-6.13).
   *
   * @throws ProtocolError `not_found`
   */
  checkRead(call: Call, message: Message): Promise<void>;
  /** Finds a bot by its user id, to be made a member of a direct room (P-5.17). */
  findEntrant(userId: string): Promise<Entrant | undefined>;
}

/** Where the bots module is plugged in, which the chat itself knows nothing of. */
@Injectable()
export class BotPort {
  plug: BotPlug = {
    enter: () => Promise.resolve(() => undefined),
    check: () => undefined,
    checkRead: () => Promise.resolve(),
    findEntrant: () => Promise.resolve(undefined),
  };
}
