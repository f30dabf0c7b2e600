// A bot that runs as a separate program:
//
//     npm run bot:create -- coin        # prints the token
//     node examples/coin-bot.js ws://localhost:3000 TOKEN
import { connectBot, defineChatBot } from 'parlance';

const CoinBot = defineChatBot({
  name: 'coin',
  about: 'Flips coins.',
  commands: {
    flip: {
      help: '/flip flips a coin.',
      async run(bot) {
        const flips = ((await bot.state.room.get('flips')) ?? 0) + 1;
        bot.state.room.set('flips', flips);
        return `${Math.random() < 0.5 ? 'Heads' : 'Tails'}, at flip ${flips} in this room.`;
      },
    },
  },
  hears: [{ pattern: /thank/i, run: (bot) => bot.react('🪙') }],
});

const [url = 'ws://localhost:3000', token = ''] = process.argv.slice(2);
const program = await connectBot({
  url,
  token,
  bots: [CoinBot],
  onStatus: (bot, { name }) => console.log(`${bot}: ${name}`),
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => program.close());
// Resolves when the program is closed; rejects if the server refuses to let the bot reconnect.
await program.closed();
