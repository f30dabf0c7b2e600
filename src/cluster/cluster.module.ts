import { Module } from '@nestjs/common';

import { ChatModule } from '../chat/chat.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { StoreModule } from '../store/store.module.js';
import { ClusterNode } from './cluster-node.js';
import { ClusterRelay } from './cluster-relay.js';

/** The side of a server that the other servers on its database see. */
@Module({
  imports: [StoreModule, RoomsModule, ChatModule],
  providers: [ClusterNode, ClusterRelay],
  exports: [ClusterNode, ClusterRelay],
})
export class ClusterModule {}
