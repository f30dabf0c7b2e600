import { ChatBot, Ctx, Hears } from '#src/bots/kit/chat-bot.decorator.js';
import type { BotContext } from '#src/bots/kit/bot-context.js';

import { startServer, type TestServer } from '../support/server.js';
import { uploaded } from '../support/uploads.js';
import { connectClient } from '../support/wire-transports.js';

@ChatBot({ name: 'clerk', scopes: ['messages:read', 'messages:write'] })
class ClerkBot {
  @Hears(/^/, { when: 'all' })
  list(@Ctx() { message }: BotContext): string {
    return `got ${(message?.attachments ?? []).map(({ name }) => name).join()}`;
  }
}

let server: TestServer;

afterEach(() => server.dispose());

test('a bot sees the attachments of a message, even without text', async () => {
  server = await startServer({ PARLANCE_ROOM_BOTS: 'clerk' }, { bots: [ClerkBot] });
  const ann = await connectClient('websocket', server.port, { name: 'ann' });
  await ann.ok('room.join', { room: 'general' });
  const file = await uploaded(server.url, ann, Buffer.from('text'), { name: 'a.txt' });

  await ann.ok('message.send', { room: 'general', files: [file.id] });

  const answer = await ann.event('message.created', ({ message }) => message.text !== '');
  expect(answer.message.text).toBe('got a.txt');
  await ann.close();
});
