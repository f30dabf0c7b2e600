import { once } from 'node:events';
import { createServer, Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Server as EngineServer, type Socket as EngineSocket } from 'engine.io';
import { Socket as IoSocket, Server as IoServer } from 'socket.io';
import { Decoder } from 'socket.io-parser';
import { WebSocket, WebSocketServer } from 'ws';

import { importsOf, read, sourcesIn } from '../../tools/import-graph.js';

const ENGINE = 'src/transports/socket-io/counting-engine.ts';
const ENGINE_WEB_SOCKET = 'src/transports/socket-io/engine-web-socket.ts';
const EIO3_PARSER = 'src/transports/socket-io/eio3-parser.ts';
const LINK = 'src/transports/socket-io/socket-io.link.ts';
const SOCKET_IO = 'src/transports/socket-io/socket-io.transport.ts';
const WEB_SOCKET = 'src/transports/websocket/websocket.transport.ts';
const HTTP = 'src/transports/http-connections.ts';

/** Undocumented members of packages: the object that has each, and the file that uses it. */
const MEMBERS = [
  ['engine.io', 'server', 'verify', ENGINE],
  ['engine.io', 'server', 'createTransport', ENGINE],
  ['engine.io', 'server', 'clients', ENGINE],
  ['engine.io', 'socket', 'readyState', ENGINE],
  ['engine.io', 'socket', 'writeBuffer', ENGINE],
  ['engine.io', 'socket', 'upgrading', LINK],
  ['engine.io', 'socket', 'transport', LINK],
  ['engine.io', 'polling', 'protocol', ENGINE],
  ['engine.io', 'polling', 'supportsBinary', ENGINE],
  ['engine.io', 'polling', 'parser', ENGINE],
  ['engine.io', 'polling', 'closeTimeout', ENGINE],
  ['engine.io', 'polling', 'res', ENGINE],
  ['engine.io', 'polling', 'onData', ENGINE],
  ['engine.io', 'polling', 'onError', ENGINE],
  ['engine.io', 'polling', 'doWrite', ENGINE],
  ['engine.io', 'polling', 'maxHttpBufferSize', LINK],
  ['engine.io', 'parser', 'encodePacket', EIO3_PARSER],
  ['engine.io', 'parser', 'encodePayload', EIO3_PARSER],
  ['engine.io', 'parser', 'decodePayload', EIO3_PARSER],
  ['engine.io', 'request', '_query', ENGINE],
  ['engine.io', 'webSocketTransport', 'socket', LINK],
  ['socket.io', 'ioServer', 'engine', SOCKET_IO],
  ['socket.io', 'ioSocket', 'onevent', SOCKET_IO],
  ['socket.io-parser', 'decoderOptions', 'maxAttachments', SOCKET_IO],
  ['ws', 'webSocket', '_receiver', ENGINE_WEB_SOCKET],
  ['ws', 'receiver', '_maxPayload', ENGINE_WEB_SOCKET],
  ['ws', 'receiver', '_maxFragments', ENGINE_WEB_SOCKET],
  ['ws', 'webSocketServer', 'handleUpgrade', ENGINE_WEB_SOCKET],
  ['ws', 'webSocketServerOptions', 'maxFragments', WEB_SOCKET],
  ['ws', 'webSocketServerOptions', 'closeTimeout', WEB_SOCKET],
  ['node:http', 'httpServer', 'connectionsCheckingInterval', HTTP],
] as const;

/** Deep imports of Nest: the module, the name taken from it, and the file that imports it. */
const DEEP_IMPORTS = [
  [
    '@nestjs/common/internal.js',
    'EXCEPTION_FILTERS_METADATA',
    'src/chat/commands/command-table.ts',
  ],
  ['@nestjs/common/internal.js', 'ROUTE_ARGS_METADATA', 'src/bots/kit/bot-explorer.ts'],
  [
    '@nestjs/websockets/factories/ws-params-factory.js',
    'WsParamsFactory',
    'src/chat/commands/command-table.ts',
  ],
  ['@nestjs/websockets/internal.js', 'MESSAGE_METADATA', 'src/chat/commands/command.decorator.ts'],
  ['@nestjs/websockets/internal.js', 'MESSAGE_METADATA', 'src/chat/commands/command-table.ts'],
  ['@nestjs/websockets/internal.js', 'PARAM_ARGS_METADATA', 'src/chat/commands/command-table.ts'],
  ['@nestjs/websockets/internal.js', 'GATEWAY_METADATA', 'src/chat/sessions/gateway-hooks.ts'],
] as const;

/** Imported for its type only: tsc checks that it exists. */
const DEEP_TYPES = ['@nestjs/core/helpers/external-context-creator.js'];
const DEEP_IMPORT = /^(@nestjs\/[\w-]+|engine\.io|socket\.io(-parser)?|ws)\//;

const objects = new Map<(typeof MEMBERS)[number][1], object>();
let http: HttpServer;
let engine: EngineServer;
let client: WebSocket;

/** Opens one session by polling and one by WebSocket, and collects the objects of both. */
beforeAll(async () => {
  engine = new EngineServer({ allowEIO3: true });
  http = createServer((request, response) => {
    engine.handleRequest(request, response);
  });
  http.on('upgrade', (request, socket, head) => {
    engine.handleUpgrade(request, socket, head);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const address = `127.0.0.1:${String((http.address() as AddressInfo).port)}/engine.io/`;

  const polled = once(engine, 'connection') as Promise<[EngineSocket]>;
  await (await fetch(`http://${address}?EIO=3&transport=polling`)).text();
  const [polling] = await polled;
  const connected = once(engine, 'connection') as Promise<[EngineSocket]>;
  client = new WebSocket(`ws://${address}?EIO=4&transport=websocket`);
  const [webSocketSession] = await connected;
  await once(client, 'open');

  const { transport } = polling as unknown as { transport: { parser: object } };
  const { transport: webSocketTransport } = webSocketSession as unknown as {
    transport: { socket: { _receiver: object } };
  };
  const webSocketServer = new WebSocketServer({ noServer: true });
  objects.set('server', engine).set('socket', polling).set('request', polling.request);
  objects.set('polling', transport).set('parser', transport.parser);
  objects.set('webSocketTransport', webSocketTransport);
  objects.set('webSocket', webSocketTransport.socket);
  objects.set('receiver', webSocketTransport.socket._receiver);
  objects.set('webSocketServer', webSocketServer).set('ioSocket', IoSocket.prototype);
  objects.set('webSocketServerOptions', webSocketServer.options);
  objects.set('ioServer', new IoServer(new HttpServer()));
  objects.set('decoderOptions', (new Decoder() as unknown as { opts: object }).opts);
  objects.set('httpServer', http);
});

afterAll(() => {
  client.on('error', () => undefined).terminate();
  engine.close();
  http.closeAllConnections();
  http.close();
});

test.each(MEMBERS)('%s has the member %s.%s, which %s uses', (_package, owner, member, file) => {
  const object = objects.get(owner);

  expect(object).toBeDefined();
  expect({ file, exists: member in (object ?? {}) }).toEqual({ file, exists: true });
});

test.each(DEEP_IMPORTS)('%s exports %s, which %s imports', async (module, name, file) => {
  const exported = (await import(module)) as Record<string, unknown>;

  expect({ file, exists: exported[name] !== undefined }).toEqual({ file, exists: true });
  expect(read(file)).toContain(name);
});

test('the table lists every deep import', () => {
  const listed = new Set<string>([...DEEP_IMPORTS.map(([module]) => module), ...DEEP_TYPES]);
  const found = sourcesIn('src').flatMap(importsOf);

  expect(found.filter((name) => DEEP_IMPORT.test(name) && !listed.has(name))).toEqual([]);
});

test('package.json pins the packages whose members are used', () => {
  const { dependencies } = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>;
  };
  const pinned = ['engine.io', 'socket.io', 'socket.io-parser', 'ws'];
  const versions = pinned.map((name) => [name, dependencies[name] ?? '']);

  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version ?? ''))).toEqual([]);
});
