import { createServer } from 'node:http';

import { Server } from 'socket.io';

const http = createServer((request, response) => {
  response.writeHead(request.url === '/readyz' ? 200 : 404).end();
});
const io = new Server(http);

io.on('connection', (socket) => {
  const { name } = socket.handshake.auth;

  socket.on('room.join', ({ room }, ack) => {
    void socket.join(room);
    ack({ ok: true });
  });
  socket.on('message.send', ({ room, text }, ack) => {
    io.to(room).emit('message.created', { room, sender: name, text, at: Date.now() });
    ack({ ok: true });
  });
});

http.listen(Number(process.env.PORT), process.env.HOST);
