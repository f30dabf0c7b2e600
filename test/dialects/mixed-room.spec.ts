import { io, type Socket } from 'socket.io-client';

import type { Message } from '#src/protocol/models.js';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage, type Program } from './old-page.js';

const TRANSPORTS = [['polling'], ['websocket']];
const GUEST = /^guest-[0-9a-f]{4}$/;

/** The posts, by sender; the last one is a bot's reply to the one before it. */
const POSTS = [
  ['livechat', 'from livechat'],
  ['rooms', 'from rooms'],
  ['simple-chat', 'from simple chat'],
  ['realtime-chat', 'from realtime chat'],
  ['broadcast', 'from broadcast'],
  ['modern', 'from a modern client'],
  ['raw', '/roll 1d2'],
] as const;

describe.each(TRANSPORTS)('one room of all dialects, over %s', (transport) => {
  let server: TestServer;
  const pages = new Map<Program, OldPage>();
  let raw: TestClient;
  let modern: Socket;
  const modernHeard: string[] = [];
  let answer = '';

  const page = (program: Program): OldPage => {
    const found = pages.get(program);
    if (found === undefined) throw new Error(`${program} has no page`);
    return found;
  };

  /** Returns the payloads that a page received for an event, in order. */
  const heardBy = (program: Program, event: string): unknown[] =>
    page(program)
      .heard.filter((one) => one.event === event)
      .map(({ data }) => data);

  /** Returns the texts that simple-chat received; joins arrive under the same event name. */
  const said = (): unknown[] =>
    heardBy('simple-chat', 'chat').filter((data) => (data as { type: string }).type === 'chat');

  const post: Record<(typeof POSTS)[number][0], (text: string) => unknown> = {
    livechat: (text) => page('livechat').post('send-msg', text),
    rooms: (text) => page('rooms').post('chat', { message: text, room: 'General' }),
    'simple-chat': (text) => page('simple-chat').post('chat', { event: 'chat', text }),
    'realtime-chat': (message) => page('realtime-chat').post('message broadcast', { message }),
    broadcast: (text) => page('broadcast').post('message', text),
    modern: (text) => modern.emitWithAck('message.send', { room: 'general', text }),
    raw: (text) => raw.ok('message.send', { room: 'general', text }),
  };

  beforeAll(async () => {
    server = await startServer({ PARLANCE_ROOM_BOTS: 'dice' });
    for (const program of ['livechat', 'rooms', 'simple-chat'] as const) {
      pages.set(program, await OldPage.open(server.url, program, [transport ?? '']));
    }
    page('livechat').post('request-all-msgs');
    await page('livechat').next('show-all-msgs');
    page('rooms').post('join', { room: 'General' });
    await page('rooms').next('join');
    page('simple-chat').post('chat', { event: 'join', user: 'Sam', room: 'corner' });
    await page('simple-chat').next('chat');
    raw = await TestClient.connect((to) =>
      openWebSocket(`${server.url}/ws`, to, { hello: { name: 'rob' } }),
    );
    await raw.ok('room.join', { room: 'general' });
    modern = io(server.url, {
      auth: { name: 'mia' },
      transports: [transport ?? ''],
      forceNew: true,
    });
    modern.on('message.created', ({ message }: { message: { text: string } }) => {
      modernHeard.push(message.text);
    });
    await modern.emitWithAck('room.join', { room: 'general' });
    for (const program of ['realtime-chat', 'broadcast'] as const) {
      pages.set(program, await OldPage.open(server.url, program, [transport ?? '']));
      // Both listen before the first post.
      await page(program).next('message');
    }
    for (const [who, text] of POSTS) {
      await post[who](text);
      await raw.event('message.created', ({ message }) => message.text === text);
    }
    answer = (await raw.event('message.created', ({ message }) => message.sender.name === 'dice'))
      .message.text;
    const all = POSTS.length + 1;
    const arrived = () =>
      modernHeard.length === all &&
      heardBy('livechat', 'show-msg').length === all &&
      heardBy('rooms', 'chat').length === all &&
      heardBy('realtime-chat', 'message receive').length === all &&
      heardBy('broadcast', 'message').length === all + 1 &&
      said().length === all - 1;
    await eventually(arrived, 'every page to have all posts');
  }, 60_000);

  afterAll(async () => {
    for (const one of pages.values()) one.close();
    modern.close();
    await raw.close();
    await server.dispose();
  });

  const texts = (): string[] => [...POSTS.map(([, text]) => text), answer];

  test('livechat receives every text', () => {
    expect(heardBy('livechat', 'show-msg')).toEqual(texts());
  });

  test('rooms receives every text of its room', () => {
    expect(heardBy('rooms', 'chat')).toEqual(texts());
  });

  test('simple-chat receives the texts of others with their names', () => {
    const guest = expect.stringMatching(/^GUEST-[0-9A-F]{4}$/) as string;
    const senders = [guest, guest, guest, guest, 'MIA', 'ROB', 'DICE'];
    const others = texts().filter((text) => text !== 'from simple chat');
    expect(said()).toEqual(
      others.map((message, i) => ({ type: 'chat', from: senders[i], message })),
    );
  });

  test('realtime-chat receives every text with its sender', () => {
    const guest = expect.stringMatching(GUEST) as string;
    const senders = [guest, guest, 'Sam', guest, guest, 'mia', 'rob', 'dice'];
    expect(heardBy('realtime-chat', 'message receive')).toEqual(
      texts().map((message, i) => ({ client: senders[i], message })),
    );
  });

  test('broadcast receives every text, and a confirmation of its own', () => {
    expect(heardBy('broadcast', 'message').slice(1)).toEqual(texts());
    expect(heardBy('broadcast', 'custom_response')).toEqual([
      { message: 'from broadcast', seq: expect.any(Number) as number },
    ]);
  });

  test('clients of the protocol receive every message and nothing else', () => {
    expect(modernHeard).toEqual(texts());
    const created = raw.events('message.created') as unknown as { data: { message: Message } }[];
    expect(created.map(({ data }) => data.message.text)).toEqual(texts());
  });
});
