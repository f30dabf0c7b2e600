// A dialect for an imaginary shoutbox whose page must stay unchanged:
//
//   socket.emit('shout', { nick: 'Ann', text: 'hi' });
//   socket.on('shouted', ({ nick, text, time }) => …);
//   socket.on('oops', (why) => …);
//
// Run the server with it:  PARLANCE_DIALECT_FILES=examples/shoutbox.dialect.js npm start

/** @type {import('parlance').Dialect<{ nick: string }>} */
export const shoutbox = {
  name: 'shoutbox',

  // Recognizes the dialect by the first event of a connection.
  declares: ({ event }) => event === 'shout',

  // Returns the initial state of a connection.
  begin: () => ({ nick: '' }),

  // Translates an event of the page to commands. A refused command cancels the rest.
  fromClient({ event, data }, connection, { defaultRoom }) {
    if (event !== 'shout') return [];
    const { nick = 'somebody', text } = data ?? {};
    const steps = [];
    if (connection.user === null) steps.push({ ask: 'hello', data: { name: nick } });
    else if (connection.state.nick !== nick)
      steps.push({ ask: 'user.update', data: { name: nick } });
    if (!connection.rooms.has(defaultRoom)) {
      steps.push({ ask: 'room.join', data: { room: defaultRoom } });
    }
    connection.state.nick = nick;
    steps.push({ ask: 'message.send', data: { room: defaultRoom, text } });
    return steps;
  },

  // Translates an event of the protocol to events of the page, once for all recipients.
  fromEvent({ event, data }) {
    if (event !== 'message.created') return [];
    const { sender, text, at } = data.message;
    return [{ emit: 'shouted', data: { nick: sender.name, text, time: at } }];
  },

  // Translates the reply to a command to events or further commands.
  fromReply: () => [],

  // Reports an error to the page.
  refuse: ({ message }) => ({ emit: 'oops', data: message }),
};
