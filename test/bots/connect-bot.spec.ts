import {
  Inject,
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
  growing,
  Hears,
  OnCommand,
  OnRoom,
  z,
  type BotContext,
} from '#src/index.js';

import { FarScene } from './far-scene.js';

const CARRIERS = ['websocket', 'socket.io websocket'] as const;
const DARES = z.object({ count: z.coerce.number().int().max(9, 'at most 9') });

let far: FarScene;
afterEach(() => far.dispose());

@Injectable()
class Larder {
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

@ChatBot({ name: 'far', about: 'Far away.' })
class FarBot {
  constructor(@Inject(Larder) private readonly larder: Larder) {}

  @OnCommand('stock', { help: '/stock' })
  @UseInterceptors(Loud)
  stock(): string {
    return this.larder.stock.join();
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
    return growing(
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

describe.each(CARRIERS)('a program of bots over %s', (carrier) => {
  beforeEach(async () => {
    far = await FarScene.start(carrier);
  });

  test('has what Nest gives to providers', async () => {
    await far.run({ bots: [FarBot], providers: [Larder] });
    const said = ['/stock', '/secret', '/secret please', '/dare 3', '/dare 10', '/grow'];
    for (const text of said) await far.say(text);
    await far.ann.event('message.edited', ({ message: { text } }) => text === 'one two three');

    expect((await far.transcript()).filter((line) => line.startsWith('far: '))).toEqual([
      'far: TEA',
      'far: no secret',
      'far: You may not do that.',
      'far: dared 3',
      'far: count: at most 9\n/dare 3',
      'far: one two three',
    ]);
    expect(far.reports.map(({ kind }) => kind)).toEqual(['denied']);
    const { commands } = await far.ann.ok('bot.commands', { room: far.room });
    expect(commands.map(({ name, args }) => [name, args])).toEqual([
      ['stock', []],
      ['secret', []],
      ['dare', ['count']],
      ['grow', []],
    ]);
  });

  test('knows that a reply to its message is for it', async () => {
    await far.run({ bots: [FarBot], providers: [Larder] });
    await far.say('/dare 1');
    await far.hears('dared 1');
    const { messages } = await far.ann.ok('message.history', { room: far.room });
    const [said, dared] = messages;
    for (const [message, text] of [
      [said, 'dare 2'],
      [dared, 'dare 3'],
      [dared, 'thanks'],
    ] as const) {
      await far.ann.ok('message.send', { room: far.room, text, replyTo: message?.id ?? '' });
    }
    const { emoji } = await far.ann.event('reaction.added');

    expect(emoji).toBe('❤');
    expect(await far.transcript()).not.toContain('far: dared 2');
    expect(await far.transcript()).toContain('far: dared 3');
  });

  test('gives messages of bots to handlers that ask for them', async () => {
    const texts: string[] = [];
    @ChatBot({ name: 'far', scopes: ['messages:addressed', 'messages:read', 'messages:write'] })
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
    await far.ann.ok('bot.add', { room: far.room, bot: 'dice' });
    await far.run({ bots: [NosyBot] });
    await far.say('/roll 1d2');
    await far.hears('heard /roll 1d2');
    await far.say('end');
    await far.hears('heard end');

    expect(texts.map((text) => text.replace(/[12]$/, '1'))).toEqual([
      'ann: /roll 1d1',
      'dice: 🎲 1',
      'ann: end',
    ]);
    expect((await far.transcript()).filter((line) => line.startsWith('far: heard'))).toHaveLength(
      2,
    );
  });

  test('finds out who did what an event tells by an id, and shows that it writes', async () => {
    @ChatBot({ name: 'far', scopes: ['reactions:read', 'messages:write'] })
    class WatchingBot {
      @OnRoom('reaction.added')
      async see(@Ctx() bot: BotContext): Promise<string> {
        await bot.typing();
        const isByOwner = await bot.isByOwner();
        return `${bot.author?.name ?? 'nobody'} ${isByOwner ? 'owns' : 'visits'}`;
      }
    }
    await far.run({ bots: [WatchingBot] });
    await far.say('look');
    const { messages } = await far.ann.ok('message.history', { room: far.room });
    const message = messages[0]?.id ?? '';
    await far.ann.ok('message.react', { room: far.room, message, emoji: '👀' });
    const { user } = await far.ann.event('typing');
    await far.hears('ann owns');

    expect(user.name).toBe('far');
    expect(far.reports).toEqual([]);
  });

  test('says which scopes it was not registered with', async () => {
    const token = await far.register('meek', ['messages:addressed', 'messages:write']);
    @ChatBot({ name: 'meek', scopes: ['messages:addressed', 'messages:write', 'members:read'] })
    class MeekBot {
      @OnRoom('member.joined')
      greet(): string {
        return 'welcome';
      }
    }
    await far.run({ bots: [MeekBot], token });
    await far.reported('denied');

    expect(String(far.reports[0]?.error)).toBe(
      'BotSetupError: The bot meek was registered without members:read: register it again, by ' +
        'npm run bot:create -- meek --scopes messages:addressed,messages:write,members:read',
    );
  });
});
