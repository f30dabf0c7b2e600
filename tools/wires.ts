import { SUBPROTOCOL } from '../src/protocol/index.js';
import type { JsonSchema } from './json-schemas.js';

/** Describes how a transport carries commands, replies and events, as payloads of messages. */
export interface Wire {
  readonly channel: string;
  readonly server: JsonSchema;
  readonly about: JsonSchema;
  command(name: string, data: JsonSchema): JsonSchema;
  reply(outcome: JsonSchema): JsonSchema;
  event(name: string, data: JsonSchema): JsonSchema;
  /** Location of the id in a command and in its reply, if frames have one. */
  readonly correlation?: { readonly command: JsonSchema; readonly reply: JsonSchema };
}

const object = (properties: JsonSchema, optional: readonly string[] = []): JsonSchema => {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
};

const id = { $ref: '#/components/schemas/CommandId' };

/** JSON frames in text frames (P-10.2). */
export const webSocket: Wire = {
  channel: 'webSocket',
  server: {
    host: 'localhost:3000',
    protocol: 'ws',
    description: `Plain WebSocket; the subprotocol ${SUBPROTOCOL} is optional (P-10.2).`,
  },
  about: {
    address: '/ws',
    title: 'Raw WebSocket',
    description: 'One JSON object in each text frame (P-10.2).',
    bindings: {
      ws: {
        method: 'GET',
        query: object({ name: { type: 'string', description: 'Name for hello (P-2.10).' } }, [
          'name',
        ]),
        headers: object(
          { Authorization: { type: 'string', description: 'Bearer and a token (P-2.10).' } },
          ['Authorization'],
        ),
        bindingVersion: '0.1.0',
      },
    },
  },
  command: (name, data) => ({
    ...object({ id, cmd: { const: name }, data }, ['id', 'data']),
    additionalProperties: false,
  }),
  reply: (outcome) => object({ re: id, ...outcome }),
  event: (name, data) => object({ event: { const: name }, data }),
  correlation: {
    command: { location: '$message.payload#/id' },
    reply: { location: '$message.payload#/re' },
  },
};

/** Events and acknowledgements of Socket.IO (P-10.3). */
export const socketIo: Wire = {
  channel: 'socketIo',
  server: {
    host: 'localhost:3000',
    protocol: 'socket.io',
    description: 'Socket.IO 4 and older, over WebSocket or polling (P-10.3).',
  },
  about: {
    address: '/socket.io/',
    title: 'Socket.IO',
    description:
      'The default namespace. The name of a message is the name of the Socket.IO event, and its ' +
      'payload is the only argument; a reply is the argument of the acknowledgement (P-10.3).',
  },
  command: (_name, data) => data,
  reply: (outcome) => object(outcome),
  event: (_name, data) => data,
};
