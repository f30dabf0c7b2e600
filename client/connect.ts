import { Chat } from './chat.js';
import type { ChatOptions } from './chat-options.js';

/**
 * Connects to a server, and reconnects whenever the connection is lost.
 *
 * @throws TypeError if `url` is not a valid address
 */
export function connect(options: ChatOptions): Chat {
  return new Chat(options);
}
