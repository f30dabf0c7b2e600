import { broadcast } from './broadcast.dialect.js';
import type { Dialect } from './dialect.js';
import { livechat } from './livechat.dialect.js';
import { realtimeChat } from './realtime-chat.dialect.js';
import { rooms } from './rooms.dialect.js';
import { simpleChat } from './simple-chat/simple-chat.dialect.js';

/** The dialects that come with the server; who could mean two of them means the first. */
export const BUILT_IN_DIALECTS = [
  livechat,
  rooms,
  simpleChat,
  realtimeChat,
  broadcast,
] as readonly Dialect[];
