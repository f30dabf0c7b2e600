import { Module, type DynamicModule, type Provider } from '@nestjs/common';

import { BotMarkEntity } from './bots/bot-mark.entity.js';
import { BotStateEntity } from './bots/bot-state.entity.js';
import { BotsModule } from './bots/bots.module.js';
import type { BotSource } from './bots/runtime/bot-source.js';
import { ChatModule } from './chat/chat.module.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { DialectGuestEntity } from './dialects/dialect-guest.entity.js';
import type { Dialect } from './dialects/dialect.js';
import { DialectsModule } from './dialects/dialects.module.js';
import { FileEntity } from './files/file.entity.js';
import type { FileStorage } from './files/file-storage.js';
import { FileStorageModule } from './files/file-storage.module.js';
import { FilesModule } from './files/files.module.js';
import { HttpModule } from './http/http.module.js';
import { MessageEntity } from './messages/message.entity.js';
import { MessagesModule } from './messages/messages.module.js';
import { ReactionEntity } from './messages/reaction.entity.js';
import { DirectUserEntity } from './rooms/direct-user.entity.js';
import { MemberEntity } from './rooms/member.entity.js';
import { RoomEntity } from './rooms/room.entity.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { TransportsModule } from './transports/transports.module.js';
import { BlockEntity } from './users/block.entity.js';
import { BotAccountEntity, BotTokenEntity } from './users/bot-account.entity.js';
import { UserEntity } from './users/user.entity.js';
import { UsersModule } from './users/users.module.js';

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
];

/** What an app adds to the gateway. */
export interface ParlanceOptions {
  /** Classes marked with `@ChatBot`, or instances of such. */
  readonly bots?: readonly BotSource[];
  /** What the bots inject, and what takes the place of providers such as `BotReporter`. */
  readonly providers?: readonly Provider[];
  /** Foreign chat protocols to speak, beside those that come with the server. */
  readonly dialects?: readonly Dialect[];
  /** Where the bytes of files are; a folder on the local disk by default. */
  readonly storage?: FileStorage;
}

/** The whole gateway as one Nest module; use it with {@link ParlanceAdapter}. */
@Module({})
export class ParlanceModule {
  static forRoot(
    config: Config,
    { bots = [], providers = [], dialects = [], storage }: ParlanceOptions = {},
  ): DynamicModule {
    return {
      module: ParlanceModule,
      imports: [
        ConfigModule.of(config),
        DatabaseModule.of(ENTITIES),
        UsersModule,
        RoomsModule,
        FileStorageModule.of(storage),
        FilesModule,
        MessagesModule,
        ChatModule,
        BotsModule.of(bots, providers),
        DialectsModule.of(dialects),
        TransportsModule,
        HttpModule,
      ],
      exports: [ChatModule, BotsModule, FilesModule, TransportsModule],
    };
  }
}
