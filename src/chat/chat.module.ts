import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { AddressBudgets } from '../limits/address-budgets.js';
import { AddressWarnings } from '../limits/address-warnings.js';
import { ChatGateway } from './chat.gateway.js';
import { ChatServer } from './chat-server.js';
import { CommandTable } from './commands/command-table.js';
import { Dispatcher } from './commands/dispatcher.js';
import { GatewayHooks } from './sessions/gateway-hooks.js';
import { GuestExpiry } from './sessions/guest-expiry.js';
import { HelloService } from './sessions/hello.service.js';
import { HourlyRates } from '../limits/hourly-rates.js';
import { OpenConnections } from './open-connections.js';
import { LoopTurns } from './connections/loop-turns.js';
import { Channels } from './fan-out/channels.js';
import { Presence } from './fan-out/presence.js';
import { PresentUsers } from './connections/present-users.js';
import { ResumeService } from './sessions/resume.service.js';
import { RoomEntry } from './fan-out/room-entry.js';
import { RoomHub } from './fan-out/room-hub.js';
import { SessionsService } from './sessions/sessions.service.js';
import { SlowReaders } from './connections/slow-readers.js';
import { TypingAnnouncer } from './fan-out/typing-announcer.js';
import { TypingService } from './fan-out/typing.service.js';

/** Connections, sessions, commands and the fan-out of events. */
@Module({
  imports: [DiscoveryModule, UsersModule, RoomsModule, MessagesModule],
  providers: [
    AddressBudgets,
    AddressWarnings,
    Channels,
    ChatGateway,
    ChatServer,
    CommandTable,
    Dispatcher,
    GatewayHooks,
    GuestExpiry,
    HelloService,
    HourlyRates,
    OpenConnections,
    LoopTurns,
    Presence,
    PresentUsers,
    ResumeService,
    RoomEntry,
    RoomHub,
    SessionsService,
    SlowReaders,
    TypingAnnouncer,
    TypingService,
  ],
  exports: [
    AddressWarnings,
    LoopTurns,
    Presence,
    ChatServer,
    CommandTable,
    HelloService,
    HourlyRates,
    OpenConnections,
    PresentUsers,
    RoomHub,
    SlowReaders,
    TypingAnnouncer,
    TypingService,
  ],
})
export class ChatModule {}
