import { fileURLToPath } from 'node:url';

import { ChildServer } from '../support/child-server.js';
import { freshDatabase } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

afterEach(() => ChildServer.killAll());

test('a failed action that a handler does not await ends neither the server nor the bot', async () => {
  const server = await ChildServer.start({
    ...(await freshDatabase()),
    PARLANCE_BOTS: fileURLToPath(new URL('careless.bot.js', import.meta.url)),
    PARLANCE_ROOM_BOTS: 'careless',
  });
  const ann = await connectClient('websocket', server.port, { name: 'ann' });
  await ann.ok('room.join', { room: 'general' });
  for (const text of ['/forget', '/forget']) {
    await ann.ok('message.send', { room: 'general', text });
    await ann.event('message.created', ({ message }) => message.text === 'done');
  }
  await ann.close();
  expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const failures = server.log().filter(({ msg }) => msg === 'Unhandled rejection');
  expect(failures).toHaveLength(2);
});
