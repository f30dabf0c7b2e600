// Chat from the terminal: node examples/terminal-chat.js [url] [room] [name]
import { createInterface } from 'node:readline';

import { connect } from 'parlance/client';

const [url = 'ws://localhost:3000/ws', room = 'general', name] = process.argv.slice(2);
const chat = connect({ url, hello: { name } });

const show = ({ sender, text }) => console.log(`${sender.name}: ${text}`);
chat.on('message.created', ({ message }) => show(message));
chat.on('gap', ({ cut }) => cut?.messages.forEach(show));
chat.on('status', (status) => {
  if (status.name === 'waiting') console.error(`(back in ${Math.ceil(status.delayMs / 1000)} s)`);
});

const { messages } = await chat.call('room.join', { room, create: true });
messages.forEach(show);
for await (const text of createInterface({ input: process.stdin })) {
  if (text.trim() === '') continue;
  chat.send({ room, text }).catch((error) => console.error(`Not sent: ${error.message}`));
}
await chat.close();
