/** A bot that does not await its actions. */
import { defineChatBot } from 'parlance';

export const CarelessBot = defineChatBot({
  name: 'careless',
  commands: {
    forget: {
      help: '/forget',
      run: (bot) => {
        void bot.react('👍', { id: 'no such message' });
        void Promise.reject(new Error('nobody waits for this'));
        return 'done';
      },
    },
  },
});
