/**
 * The wire format of one kind of connection. All servers, peers included, use the names of the
 * Parlance protocol.
 *
 * @typedef {object} Dialect
 * @property {string} path path of the WebSocket
 * @property {Buffer} deliveryPrefix first bytes of a delivered message
 * @property {string} replyPrefix first characters of a reply
 * @property {(id: number, name: string, data: Record<string, unknown>) => string} command
 * @property {(connection: import('./connection.js').Connection, name: string) => Promise<void>}
 *   greet
 */

/** @type {Dialect} */
const webSocket = {
  path: '/ws',
  deliveryPrefix: Buffer.from('{"event":"message.created"'),
  replyPrefix: '{"re":',
  command: (id, name, data) => `{"id":${id},"cmd":"${name}","data":${JSON.stringify(data)}}`,
  async greet(connection, name) {
    await connection.request('hello', { protocol: 1, name });
  },
};

/** @type {Dialect} */
const socketIo = {
  path: '/socket.io/?EIO=4&transport=websocket',
  deliveryPrefix: Buffer.from('42["message.created"'),
  replyPrefix: '43',
  command: (id, name, data) => `42${id}["${name}",${JSON.stringify(data)}]`,
  async greet(connection, name) {
    await connection.receive('0{');
    connection.push(`40${JSON.stringify({ name })}`);
    await connection.receive('40');
  },
};

/**
 * Clients of the dialect `rooms`, with acknowledgements added.
 *
 * @type {Dialect}
 */
const legacyRooms = {
  path: '/socket.io/?EIO=4&transport=websocket',
  deliveryPrefix: Buffer.from('42["chat"'),
  replyPrefix: '43',
  command(id, name, { room, text }) {
    if (name === 'message.send')
      return `42${id}["chat",${JSON.stringify({ room, message: text })}]`;
    return `42${id}["join",${JSON.stringify({ room })}]`;
  },
  async greet(connection) {
    await connection.receive('0{');
    connection.push('40');
    await connection.receive('40');
  },
};

/** @type {Record<string, Dialect>} */
export const DIALECTS = { webSocket, socketIo, legacyRooms };
