import { Module } from '@nestjs/common';

import { ChatModule } from '../chat/chat.module.js';
import { InMemoryTransport } from './in-memory/in-memory.transport.js';

/** The transports that something in the app is given by injection. */
@Module({
  imports: [ChatModule],
  providers: [InMemoryTransport],
  exports: [InMemoryTransport],
})
export class TransportsModule {}
