import { ServerAddress } from '../../client/server-address.js';
import { connect, type ChatOptions } from '../../client/index.js';
import { ReverseProxy } from '../support/reverse-proxy.js';
import { startServer, type TestServer } from '../support/server.js';
import { WatchedChat } from './watched-chat.js';

const ROOM = 'general';

describe('addresses are derived from the server address', () => {
  const AT_ROOT = {
    webSocket: 'ws://host:3000/ws',
    socketIoPath: '/socket.io/',
    file: 'http://host:3000/api/files/1',
  };
  const BELOW = {
    webSocket: 'wss://host/team/chat/ws',
    socketIoPath: '/team/chat/socket.io/',
    file: 'https://host/team/chat/api/files/1',
  };

  test.each([
    ['ws://host:3000', AT_ROOT],
    ['ws://host:3000/', AT_ROOT],
    ['http://host:3000', AT_ROOT],
    ['http://host:3000/ws', AT_ROOT],
    ['ws://host:3000/ws/', AT_ROOT],
    ['https://host/team/chat/', BELOW],
    ['https://host/team/chat', BELOW],
    ['https://host/team/chat//', BELOW],
    ['wss://host/team/chat', BELOW],
    ['wss://host/team/chat/ws', BELOW],
    ['HTTPS://HOST:443/team/chat/ws', BELOW],
  ])('%s', (given, expected) => {
    const address = new ServerAddress(given);

    expect({
      webSocket: address.webSocketUrl,
      socketIoPath: address.socketIoPath,
      file: address.file('/api/files/1').href,
    }).toEqual(expected);
  });

  test.each(['https://host/api', 'wss://host/api/ws'])(
    'a path that file addresses also start with: %s',
    (given) => {
      const { href } = new ServerAddress(given).file('/api/files/1');

      expect(href).toBe('https://host/api/api/files/1');
    },
  );

  test.each(['https://evil.example/api/files/1', 'http://host/api/files/1'])(
    'a token is not sent to another host: %s',
    (url) => {
      expect(() => new ServerAddress('https://host/').file(url)).toThrow(TypeError);
    },
  );

  test.each([
    '',
    'chat.example.org',
    'localhost:3000',
    'ftp://host/',
    'ws://host/ws?name=ann',
    'ws://ann:secret@host/',
  ])('%j is refused at once, with advice', (url) => {
    expect(() => connect({ url })).toThrow(TypeError);
    expect(() => connect({ url })).toThrow(/^url must /);
  });
});

describe.each(['/team/chat/', '/'])('behind a proxy that serves %s', (path) => {
  let server: TestServer;
  let proxy: ReverseProxy;
  beforeAll(async () => {
    server = await startServer();
    proxy = await ReverseProxy.start(server.url, { folders: [path.replace(/\/$/, '')] });
  });
  afterAll(async () => {
    await proxy.close();
    await server.dispose();
  });

  const ways = ['http', 'ws'].flatMap((scheme) =>
    [path, path.replace(/\/$/, '')].flatMap((end) =>
      (['websocket', 'socket.io'] as const).map((transport) => ({ scheme, end, transport })),
    ),
  );

  test.each(ways)('$scheme://host$end works over $transport, with files', async (way) => {
    const options: ChatOptions = {
      url: `${way.scheme}://${proxy.host}${way.end}`,
      transport: way.transport,
    };
    const { chat } = new WatchedChat(options);
    await chat.call('room.join', { room: ROOM });
    const { id } = await chat.upload(new Blob(['x']), 'x.txt');
    const { message } = await chat.send({ room: ROOM, files: [id] });
    const [attachment] = message.attachments ?? [];

    expect(await (await chat.download(attachment ?? { url: '' })).text()).toBe('x');
    await chat.close();
  });
});
