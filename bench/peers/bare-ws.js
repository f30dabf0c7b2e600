import { createServer } from 'node:http';

import { WebSocketServer } from 'ws';

/** @type {Map<string, Set<import('ws').WebSocket>>} */
const rooms = new Map();
const http = createServer((request, response) => {
  response.writeHead(request.url === '/readyz' ? 200 : 404).end();
});
const server = new WebSocketServer({ server: http, path: '/ws' });

server.on('connection', (socket) => {
  /** @type {Set<string>} */
  const joined = new Set();
  let name = 'guest';

  socket.on('message', (bytes) => {
    const { id, cmd, data } = JSON.parse(bytes.toString());
    if (cmd === 'hello') name = data.name;
    if (cmd === 'room.join') {
      joined.add(data.room);
      membersOf(data.room).add(socket);
    }
    if (cmd === 'message.send') broadcast(data.room, name, data.text);
    socket.send(JSON.stringify({ re: id, ok: true }));
  });
  socket.on('close', () => {
    for (const room of joined) membersOf(room).delete(socket);
  });
});

http.listen(Number(process.env.PORT), process.env.HOST);

/** @param {string} room */
function membersOf(room) {
  let members = rooms.get(room);
  if (members === undefined) rooms.set(room, (members = new Set()));
  return members;
}

/**
 * @param {string} room
 * @param {string} sender
 * @param {string} text
 */
function broadcast(room, sender, text) {
  const event = { event: 'message.created', data: { room, sender, text, at: Date.now() } };
  const bytes = Buffer.from(JSON.stringify(event));
  for (const member of membersOf(room)) member.send(bytes, { binary: false });
}
