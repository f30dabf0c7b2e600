// A dialect for an imagined shoutbox, whose page is not to be changed:
//
//   socket.emit('shout', { nick: 'Ann', text: 'hi' });
//   socket.on('shouted', ({ nick, text, time }) => …);
//   socket.on('oops', (why) => …);
//
// Run the gateway with it:  PARLANCE_DIALECT_FILES=examples/shoutbox.dialect.js npm start

/** @type {import('parlance').Dialect<{ nick: string }>} */
export const shoutbox = {
  name: 'shoutbox',

  // The first event of a connection tells what it speaks.
  declares: ({ event }) => event === 'shout',

  // What is remembered of each connection.
  begin: () => ({ nick: '' }),

  // An event of the page becomes commands of the protocol. The first that is refused ends them.
  fromClient({ event, data }, connection, { publicRoom }) {
    if (event !== 'shout') return [];
    const { nick = 'somebody', text } = data ?? {};
    const steps = [];
    if (connection.user === null) steps.push({ ask: 'hello', data: { name: nick } });
    else if (connection.state.nick !== nick)
      steps.push({ ask: 'user.update', data: { name: nick } });
    if (!connection.rooms.has(publicRoom)) {
      steps.push({ ask: 'room.join', data: { room: publicRoom } });
    }
    connection.state.nick = nick;
    steps.push({ ask: 'message.send', data: { room: publicRoom, text } });
    return steps;
  },

  // An event of the protocol becomes events of the page, the same for everybody who gets it.
  fromEvent({ event, data }) {
    if (event !== 'message.created') return [];
    const { sender, text, at } = data.message;
    return [{ emit: 'shouted', data: { nick: sender.name, text, time: at } }];
  },

  // The answer to a command may be worth an event, too, or lead to more commands.
  fromReply: () => [],

  // How this page is told of what went wrong.
  refuse: ({ message }) => ({ emit: 'oops', data: message }),
};
