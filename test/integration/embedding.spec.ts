import {
  Body,
  Catch,
  Controller,
  Get,
  Injectable,
  Module,
  NotFoundException,
  Post,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import type { Request, Response } from 'express';
import { map, type Observable } from 'rxjs';
import { z } from 'zod';

import { connect, type Chat } from '#client/index.js';
import { ParlanceModule } from '#src/parlance.module.js';
import { Args, ChatBot, OnCommand } from '#src/bots/kit/chat-bot.decorator.js';
import type { Call } from '#src/chat/connections/call.js';
import { Command, CurrentCall } from '#src/chat/commands/command.decorator.js';
import type { EventData } from '#src/protocol/events.js';
import { BUILT_IN_DIALECTS } from '#src/dialects/built-in/index.js';
import { FilesService } from '#src/files/files.service.js';

import {
  freshConfig,
  startApp,
  type EmbeddingApp,
  type RunningApp,
} from '../support/embedding.app.js';
import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';

let running: RunningApp;
let chats: Chat[] = [];

afterEach(async () => {
  await Promise.all(chats.map((chat) => chat.close()));
  chats = [];
  await running.close();
});

async function start(embedding: EmbeddingApp): Promise<void> {
  running = await startApp(embedding);
}

/** Connects a guest with the client library; `path` is the path of the WebSocket. */
function connectTo(path: string): Chat {
  const chat = connect({ url: running.url + path, hello: { name: 'ann' } });
  chats.push(chat);
  return chat;
}

/** Connects a guest that sends raw frames. */
async function joinRaw(name = 'ann'): Promise<TestClient> {
  const url = `${running.url.replace('http', 'ws')}/ws`;
  const client = await TestClient.connect((listener) => openWebSocket(url, listener));
  await client.ok('hello', { protocol: 1, name });
  return client;
}

async function get(path: string, init?: RequestInit) {
  const response = await fetch(running.url + path, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

@Controller()
class SiteController {
  @Get()
  home(): string {
    return 'our own page';
  }

  @Get('hello')
  hello(): string {
    return 'our own hello';
  }

  @Get('healthz')
  health(): string {
    return 'our own health';
  }

  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return { got: body };
  }
}

@Catch(NotFoundException)
class OwnNotFound implements ExceptionFilter {
  catch(_error: NotFoundException, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(404).send('our own 404');
  }
}

/** A guard that handles only HTTP, like most guards. */
@Injectable()
class KeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<Request>();
    return headers['x-key'] === 'secret';
  }
}

/** Wraps every response in a field, as many apps do. */
@Injectable()
class Envelope {
  intercept(_context: ExecutionContext, next: { handle(): Observable<unknown> }) {
    return next.handle().pipe(map((data) => ({ data })));
  }
}

@Injectable()
class Stock {
  count(item: string): number {
    return item.length;
  }
}

@Module({ providers: [Stock], exports: [Stock] })
class StockModule {}

const Item = z.object({ item: z.string() });

@ChatBot({ name: 'stock', about: 'Knows what there is.' })
class StockBot {
  constructor(private readonly stock: Stock) {}

  @OnCommand('stock', { args: Item, help: '/stock tea tells how much there is.' })
  count(@Args() { item }: z.infer<typeof Item>): string {
    return `${item}: ${String(this.stock.count(item))}`;
  }
}

@Injectable()
class OwnersOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.getArgByIndex<Call>(2).actor.name === 'owner';
  }
}

@WebSocketGateway()
class StockGateway {
  constructor(private readonly stock: Stock) {}

  @Command('stock.count', { data: Item })
  count(@MessageBody() { item }: z.infer<typeof Item>, @CurrentCall() { actor }: Call) {
    return { item, count: this.stock.count(item), for: actor.name };
  }

  @UseGuards(OwnersOnly)
  @Command('stock.clear')
  clear() {
    return { cleared: true };
  }
}

describe('an app that embeds Parlance', () => {
  test('keeps its own @Get("/"), its own /hello and its own 404', async () => {
    await start({
      controllers: [SiteController],
      providers: [{ provide: APP_FILTER, useClass: OwnNotFound }],
    });

    expect(await get('/')).toMatchObject({ status: 200, text: 'our own page' });
    expect(await get('/hello')).toMatchObject({ status: 200, text: 'our own hello' });
    expect(await get('/healthz')).toMatchObject({ status: 200, text: 'our own health' });
    for (const path of ['/chat.js', '/docs/protocol.md', '/readyz', '/api/nothing']) {
      expect(await get(path)).toMatchObject({ status: 404, text: 'our own 404' });
    }
  });

  test('serves the pages of its dialects only where it enables them', async () => {
    const own = { controllers: [SiteController] };
    await start({ ...own, parlance: { dialects: BUILT_IN_DIALECTS } });
    expect(await get('/hello')).toMatchObject({ status: 200, text: 'our own hello' });
    expect((await get('/nothing')).text).toContain('Cannot GET /nothing');
    await running.close();

    const http = { path: '/chat', dialects: true };
    await start({ ...own, parlance: { dialects: BUILT_IN_DIALECTS, http } });
    expect(await get('/hello')).toMatchObject({ status: 200, text: 'our own hello' });
    expect(await get('/chat/hello')).toMatchObject({ status: 200, text: 'Hello World' });
    const unknown = await get('/chat/nothing');
    expect(unknown).toMatchObject({ status: 404 });
    expect(unknown.text).toContain('<a href="/chat/">');
    expect((await get('/nothing')).text).toContain('Cannot GET /nothing');
  });

  test('uploads under setGlobalPrefix("api"), with its guards, interceptors and CORS', async () => {
    await start({
      controllers: [SiteController],
      providers: [
        { provide: APP_GUARD, useClass: KeyGuard },
        { provide: APP_INTERCEPTOR, useClass: Envelope },
      ],
      setUp: (app) => {
        app.setGlobalPrefix('api');
        app.enableCors({ origin: 'https://shop.example' });
      },
    });
    const chat = connectTo('/ws');

    const file = await chat.upload(new Blob(['{"a":1}'], { type: 'application/json' }), 'a.json');
    await chat.call('room.join', { room: 'general' });
    const { message } = await chat.send({ room: 'general', files: [file.id] });
    const echo = await get('/api/echo', {
      method: 'POST',
      headers: { 'X-Key': 'secret', 'Content-Type': 'application/json' },
      body: '{"a":1}',
    });

    expect(message.attachments?.map(({ name }) => name)).toEqual(['a.json']);
    expect(echo).toMatchObject({ status: 201, text: '{"data":{"got":{"a":1}}}' });
    expect(echo.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(await get('/')).toMatchObject({ status: 404 });
    expect(await get('/api')).toMatchObject({ status: 403 });
  });

  test('serves everything under the given path', async () => {
    const http = { path: '/chat', health: true, docs: true, page: true };
    await start({ controllers: [SiteController], parlance: { http } });
    const chat = connectTo('/chat/ws');

    const { url } = await chat.upload(new Blob(['text']), 'a.txt');

    expect(url).toMatch(/^\/api\/files\//);
    expect((await get('/chat/')).text).toContain('<title>');
    expect(await get('/chat/healthz')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect((await get('/chat/docs/protocol.md')).text).toMatch(/^# /);
    expect((await get('/chat/socket.io/socket.io.js')).status).toBe(200);
    expect(await get('/chat/socket.io/?EIO=4&transport=polling')).toMatchObject({ status: 200 });
    expect(await get('/')).toMatchObject({ status: 200, text: 'our own page' });
    for (const path of ['/ws', '/socket.io/', '/api/files/1', '/chatter', '/chat/nothing']) {
      expect(await get(path)).toMatchObject({ status: 404 });
    }
  });

  test.each(['chat', '/chat?', '/a b', '//'])('refuses %s as a path', (path) => {
    const config = {} as Parameters<typeof ParlanceModule.forRoot>[0];
    running = { close: () => Promise.resolve() } as RunningApp;

    expect(() => ParlanceModule.forRoot(config, { http: { path } })).toThrow('such as "/chat"');
  });

  test('speaks no dialect unless one is configured', async () => {
    await start({});

    const opened = await get('/socket.io/?EIO=4&transport=polling');
    const sid = /"sid":"([^"]+)"/.exec(opened.text)?.[1] ?? '';
    const poll = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    await get(poll, { method: 'POST', body: '40' });
    await get(poll, { method: 'POST', body: '42["request-all-msgs"]' });

    const { text } = await get(poll);
    await get(poll, { method: 'POST', body: '1' });

    expect(text).toContain('"code":"unknown_command"');
  });

  test('has bots and gateways that inject its services, without @Global', async () => {
    await start({
      imports: [StockModule],
      providers: [StockGateway, OwnersOnly],
      parlance: { imports: [StockModule], bots: [StockBot] },
    });
    const ann = await joinRaw();
    const owner = await joinRaw('owner');

    const counted = await ann.call('stock.count', { item: 'tea' });
    await ann.expectError('stock.count', { item: 3 }, 'invalid');
    await ann.expectError('stock.clear', {}, 'forbidden');
    const cleared = await owner.call('stock.clear');

    expect(counted).toMatchObject({ ok: true, data: { item: 'tea', count: 3, for: 'ann' } });
    expect(cleared).toMatchObject({ ok: true, data: { cleared: true } });
  });

  test('does not call an APP_GUARD for commands or bots', async () => {
    await start({
      controllers: [SiteController],
      providers: [
        { provide: APP_GUARD, useClass: KeyGuard },
        { provide: APP_INTERCEPTOR, useClass: Envelope },
      ],
      parlance: { providers: [Stock], bots: [StockBot] },
    });
    const ann = await joinRaw();

    await ann.ok('room.create', { room: 'kitchen' });
    await ann.ok('bot.add', { room: 'kitchen', bot: 'stock' });
    await ann.ok('message.send', { room: 'kitchen', text: '/stock tea' });
    const isAnswer = ({ message }: EventData<'message.created'>) => message.sender.kind === 'bot';
    const { message } = await ann.event('message.created', isAnswer);

    expect(message.text).toBe('tea: 3');
    expect(await get('/')).toMatchObject({ status: 403 });
  });

  test('logs nothing about commands at start', async () => {
    const lines: string[] = [];
    const note = (...line: unknown[]) => void lines.push(line.join(' '));
    const logger = { log: note, error: note, warn: note };

    await start({ logger, imports: [StockModule], providers: [StockGateway, OwnersOnly] });

    expect(lines.filter((line) => !line.includes('dependencies initialized'))).toEqual([
      'Starting Nest application... NestFactory',
      'Nest application successfully started NestApplication',
    ]);
  });

  test('refuses to start if two methods handle the same command', async () => {
    @WebSocketGateway()
    class SecondGateway {
      @Command('stock.count')
      count() {
        return {};
      }
    }
    running = { close: () => Promise.resolve() } as RunningApp;
    const providers = [Stock, StockGateway, SecondGateway, OwnersOnly];

    await expect(startApp({ providers })).rejects.toThrow(
      'The command stock.count has two handlers: StockGateway.count and SecondGateway.count.',
    );
  });
});

describe('ParlanceModule.forRootAsync', () => {
  test('uses settings from a provider of the app, and makes Parlance injectable everywhere', async () => {
    const config = await freshConfig();
    @Injectable()
    class Settings {
      parlance() {
        return Promise.resolve({ ...config, defaultRoom: 'lobby' });
      }
    }
    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}
    @Injectable()
    class Archive {
      constructor(readonly files: FilesService) {}
    }
    @Module({ providers: [Archive] })
    class ArchiveModule {}

    await start({
      imports: [ArchiveModule],
      embed: () =>
        ParlanceModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: (settings: Settings) => settings.parlance(),
          isGlobal: true,
        }),
    });
    const ann = await joinRaw();

    const { rooms } = await ann.ok('room.list', {});
    expect(rooms.map(({ id }) => id)).toEqual(['lobby']);
    expect(running.app.get(Archive, { strict: false }).files).toBeInstanceOf(FilesService);
  });
});
