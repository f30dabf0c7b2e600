import type { Dialect } from '../dialect.js';
import { broadcast } from './broadcast.dialect.js';
import { livechat } from './livechat.dialect.js';
import { realtimeChat } from './realtime-chat.dialect.js';
import { rooms } from './rooms.dialect.js';
import { simpleChat } from './simple-chat/simple-chat.dialect.js';

/** The dialects that ship with Parlance. If several match an event, the first one wins. */
export const BUILT_IN_DIALECTS = [
  livechat,
  rooms,
  simpleChat,
  realtimeChat,
  broadcast,
] as readonly Dialect[];
