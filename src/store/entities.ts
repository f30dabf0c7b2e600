import { BlockEntity } from './block.entity.js';
import { BotAccountEntity, BotTokenEntity } from './bot-account.entity.js';
import { BotMarkEntity } from './bot-mark.entity.js';
import { BotStateEntity } from './bot-state.entity.js';
import { DialectGuestEntity } from './dialect-guest.entity.js';
import { DirectUserEntity } from './direct-user.entity.js';
import { FileEntity } from './file.entity.js';
import { LeaseEntity } from './lease.entity.js';
import { MemberEntity } from './member.entity.js';
import { MessageEntity } from './message.entity.js';
import { ReactionEntity } from './reaction.entity.js';
import { RoomEntity } from './room.entity.js';
import { UserEntity } from './user.entity.js';

/** Every entity of the database. */
export const ENTITIES = [
  UserEntity,
  RoomEntity,
  MemberEntity,
  DirectUserEntity,
  BlockEntity,
  MessageEntity,
  ReactionEntity,
  FileEntity,
  BotStateEntity,
  BotAccountEntity,
  BotTokenEntity,
  BotMarkEntity,
  DialectGuestEntity,
  LeaseEntity,
];
