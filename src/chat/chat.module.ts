import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { BotPort } from './bot-port.js';
import { ChatGateway } from './chat.gateway.js';
import { ChatServer } from './chat-server.js';
import { CommandTable } from './command-table.js';
import { DialectPort } from './dialect-port.js';
import { Dispatcher } from './dispatcher.js';
import { GatewayHooks } from './gateway-hooks.js';
import { GuestExpiry } from './guest-expiry.js';
import { HelloService } from './hello.service.js';
import { HourlyRates } from './hourly-rates.js';
import { OpenConnections } from './open-connections.js';
import { Presence } from './presence.js';
import { PresentUsers } from './present-users.js';
import { ResumeService } from './resume.service.js';
import { RoomEntry } from './room-entry.service.js';
import { RoomHub } from './room-hub.js';
import { SessionsService } from './sessions.service.js';
import { TypingService } from './typing.service.js';

/** What happens between a frame and a service. */
@Module({
  imports: [DiscoveryModule, UsersModule, RoomsModule, MessagesModule],
  providers: [
    BotPort,
    ChatGateway,
    ChatServer,
    CommandTable,
    DialectPort,
    Dispatcher,
    GatewayHooks,
    GuestExpiry,
    HelloService,
    HourlyRates,
    OpenConnections,
    Presence,
    PresentUsers,
    ResumeService,
    RoomEntry,
    RoomHub,
    SessionsService,
    TypingService,
  ],
  exports: [
    BotPort,
    ChatServer,
    CommandTable,
    DialectPort,
    HelloService,
    HourlyRates,
    PresentUsers,
    TypingService,
  ],
})
export class ChatModule {}
