import { defineChatBot, z } from 'parlance';

export const MyBot = defineChatBot({
  name: 'my-bot',
  about: 'Greets anyone by name.',
  commands: {
    'my-bot': {
      args: z.object({ name: z.string().default('world') }),
      help: '/my-bot ann greets ann.',
      run: (bot, { name }) => `Hello, ${name}!`,
    },
  },
  hears: [{ pattern: /thank/i, run: (bot) => bot.react('👍') }],
});
