import {
  Injectable,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { map, type Observable } from 'rxjs';

import {
  Args,
  ChatBot,
  Ctx,
  stream,
  Hears,
  OnCommand,
  OnRoom,
  z,
  type BotContext,
} from '#src/index.js';

import { RemoteBotScene } from './remote-bot-scene.js';

const CARRIERS = ['websocket', 'socket.io websocket'] as const;
const DARES = z.object({ count: z.coerce.number().int().max(9, 'at most 9') });

let remote: RemoteBotScene;
afterEach(() => remote.dispose());

@Injectable()
class Pantry {
  readonly stock = ['tea'];
}

@Injectable()
class OnlyAnn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.getArgByIndex<BotContext>(0).text !== 'please';
  }
}

class Loud implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<string>): Observable<string> {
    return next.handle().pipe(map((text) => text.toUpperCase()));
  }
}

@ChatBot({ name: 'remote', about: 'Runs elsewhere.' })
class RemoteBot {
  constructor(private readonly pantry: Pantry) {}

  @OnCommand('stock', { help: '/stock' })
  @UseInterceptors(Loud)
  stock(): string {
    return this.pantry.stock.join();
  }

  @OnCommand('secret', { help: '/secret' })
  @UseGuards(OnlyAnn)
  secret(): string {
    return 'no secret';
  }

  @OnCommand('dare', { args: DARES, help: '/dare 3' })
  dare(@Args() { count }: z.infer<typeof DARES>): string {
    return `dared ${String(count)}`;
  }

  @OnCommand('grow', { help: '/grow' })
  grow() {
    return stream(
      (async function* () {
        for (const piece of ['one', ' two', ' three']) yield await Promise.resolve(piece);
      })(),
    );
  }

  @Hears(/thank/)
  thanks(@Ctx() bot: BotContext): Promise<void> {
    return bot.react('❤');
  }
}

describe.each(CARRIERS)('a standalone bot over %s', (carrier) => {
  beforeEach(async () => {
    remote = await RemoteBotScene.start(carrier);
  });

  test('supports injection, guards, interceptors and schemas', async () => {
    await remote.run({ bots: [RemoteBot], providers: [Pantry] });
    const said = ['/stock', '/secret', '/secret please', '/dare 3', '/dare 10', '/grow'];
    for (const text of said) await remote.say(text);
    await remote.ann.event('message.edited', ({ message: { text } }) => text === 'one two three');

    expect((await remote.transcript()).filter((line) => line.startsWith('remote: '))).toEqual([
      'remote: TEA',
      'remote: no secret',
      'remote: You may not do that.',
      'remote: dared 3',
      'remote: count: at most 9\n/dare 3',
      'remote: one two three',
    ]);
    expect(remote.reports.map(({ kind }) => kind)).toEqual(['denied']);
    const { commands } = await remote.ann.ok('bot.commands', { room: remote.room });
    expect(commands).toMatchObject([
      { name: 'stock', args: [] },
      { name: 'secret', args: [] },
      { name: 'dare', args: ['count'] },
      { name: 'grow', args: [] },
    ]);
  });

  test('treats a reply to its message as addressed to it', async () => {
    await remote.run({ bots: [RemoteBot], providers: [Pantry] });
    await remote.say('/dare 1');
    await remote.hears('dared 1');
    const { messages } = await remote.ann.ok('message.history', { room: remote.room });
    const [said, dared] = messages;
    for (const [message, text] of [
      [said, 'dare 2'],
      [dared, 'dare 3'],
      [dared, 'thanks'],
    ] as const) {
      await remote.ann.ok('message.send', { room: remote.room, text, replyTo: message?.id ?? '' });
    }
    const { emoji } = await remote.ann.event('reaction.added');

    expect(emoji).toBe('❤️');
    expect(await remote.transcript()).not.toContain('remote: dared 2');
    expect(await remote.transcript()).toContain('remote: dared 3');
  });

  test('passes messages of bots to handlers with fromBots', async () => {
    const texts: string[] = [];
    @ChatBot({ name: 'remote', scopes: ['messages:addressed', 'messages:read', 'messages:write'] })
    class NosyBot {
      @Hears(/./, { when: 'all', fromBots: true })
      hear(@Ctx() bot: BotContext): void {
        texts.push(`${bot.author?.name ?? ''}: ${bot.text}`);
        bot.next();
      }

      @Hears(/./, { when: 'all' })
      answer(@Ctx() bot: BotContext): string {
        return `heard ${bot.text}`;
      }
    }
    await remote.ann.ok('bot.add', { room: remote.room, bot: 'dice' });
    await remote.run({ bots: [NosyBot] });
    await remote.say('/roll 1d2');
    await remote.hears('heard /roll 1d2');
    await remote.say('end');
    await remote.hears('heard end');

    expect(texts.map((text) => text.replace(/[12]$/, '1'))).toEqual([
      'ann: /roll 1d1',
      'dice: 🎲 1',
      'ann: end',
    ]);
    expect(
      (await remote.transcript()).filter((line) => line.startsWith('remote: heard')),
    ).toHaveLength(2);
  });

  test('looks up the author of an event that has only an id, and shows typing', async () => {
    @ChatBot({ name: 'remote', scopes: ['reactions:read', 'messages:write'] })
    class WatchingBot {
      @OnRoom('reaction.added')
      async see(@Ctx() bot: BotContext): Promise<string> {
        await bot.typing();
        const isByOwner = await bot.isAuthorOwner();
        return `${bot.author?.name ?? 'nobody'} ${isByOwner ? 'owns' : 'visits'}`;
      }
    }
    await remote.run({ bots: [WatchingBot] });
    await remote.say('look');
    const { messages } = await remote.ann.ok('message.history', { room: remote.room });
    const message = messages[0]?.id ?? '';
    await remote.ann.ok('message.react', { room: remote.room, message, emoji: '👀' });
    const { started } = await remote.ann.event('typing');
    await remote.hears('ann owns');

    expect(started?.map(({ name }) => name)).toEqual(['remote']);
    expect(remote.reports).toEqual([]);
  });

  test('reports the scopes that its registration lacks', async () => {
    const token = await remote.register('meek', ['messages:addressed', 'messages:write']);
    @ChatBot({ name: 'meek', scopes: ['messages:addressed', 'messages:write', 'members:read'] })
    class MeekBot {
      @OnRoom('member.joined')
      greet(): string {
        return 'welcome';
      }
    }
    await remote.run({ bots: [MeekBot], token });
    await remote.reported('denied');

    expect(String(remote.reports[0]?.error)).toBe(
      'BotSetupError: The bot meek was registered without members:read: register it again with ' +
        'npm run bot:create -- meek --scopes messages:addressed,messages:write,members:read',
    );
  });
});
