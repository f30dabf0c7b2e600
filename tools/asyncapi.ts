import type { z } from 'zod';

import { CommandId, COMMANDS, EVENTS, PROTOCOL_VERSION } from '../src/protocol/index.js';
import { clausesIn, type Clause, type Direction } from './clauses.js';
import { schemaOfInput, schemaOfOutput, type JsonSchema } from './json-schemas.js';
import { SchemaCollection } from './schema-collection.js';
import { socketIo, webSocket, type Wire } from './wires.js';

/** Name of the message that answers any command that failed. */
const FAILURE = 'failed.reply';

const failure = { ok: { const: false }, error: { $ref: '#/components/schemas/WireError' } };

/** Builds an AsyncAPI 3.0 document of the protocol from its schemas and docs/protocol.md. */
export class AsyncApi {
  private readonly schemas = new SchemaCollection();
  private readonly channels: JsonSchema = {};
  private readonly operations: JsonSchema = {};

  constructor(private readonly docs: string) {}

  /** Builds the document. */
  build(): JsonSchema {
    this.schemas.add('CommandId', schemaOfInput(CommandId, 'draft-07'));
    for (const wire of [webSocket, socketIo]) this.addWire(wire);
    return {
      asyncapi: '3.0.0',
      info: {
        title: 'Parlance',
        version: String(PROTOCOL_VERSION),
        description:
          'A chat protocol over plain WebSocket and Socket.IO. protocol.md defines the messages; ' +
          'P-… refers to its clauses.',
        license: { name: 'MIT' },
      },
      defaultContentType: 'application/json',
      servers: { webSocket: webSocket.server, socketIo: socketIo.server },
      channels: this.channels,
      operations: this.operations,
      components: { schemas: this.schemas.sorted() },
    };
  }

  private addWire(wire: Wire): void {
    const messages: JsonSchema = {};
    this.channels[wire.channel] = {
      ...wire.about,
      servers: [{ $ref: `#/servers/${wire.channel}` }],
      messages,
    };
    messages[FAILURE] = replyMessage(wire, failure);
    const commands = this.clausesOf(Object.keys(COMMANDS), 'client → server');
    for (const [name, { data, reply }] of Object.entries(COMMANDS)) {
      this.addCommand(wire, messages, name, { data, reply, clause: commands(name) });
    }
    const events = this.clausesOf(Object.keys(EVENTS), 'server → client');
    for (const [name, data] of Object.entries(EVENTS)) {
      this.addEvent(wire, messages, name, { data, clause: events(name) });
    }
  }

  private addCommand(
    wire: Wire,
    messages: JsonSchema,
    name: string,
    { data, reply, clause }: { data: z.ZodType; reply: z.ZodType; clause: Clause },
  ): void {
    const dataRef = this.schemas.add(`${name}.command`, schemaOfInput(data, 'draft-07'));
    const replyRef = this.schemas.add(`${name}.reply`, schemaOfOutput(reply, 'draft-07'));
    messages[`${name}.command`] = {
      name,
      ...(wire.correlation === undefined ? {} : { correlationId: wire.correlation.command }),
      payload: wire.command(name, dataRef),
    };
    messages[`${name}.reply`] = replyMessage(wire, { ok: { const: true }, data: replyRef });
    this.operations[`${wire.channel}.${name}.command`] = {
      action: 'receive',
      ...describe(clause),
      ...through(wire.channel, `${name}.command`),
      reply: through(wire.channel, `${name}.reply`, FAILURE),
    };
  }

  private addEvent(
    wire: Wire,
    messages: JsonSchema,
    name: string,
    { data, clause }: { data: z.ZodType; clause: Clause },
  ): void {
    const dataRef = this.schemas.add(`${name}.event`, schemaOfOutput(data, 'draft-07'));
    messages[`${name}.event`] = { name, payload: wire.event(name, dataRef) };
    this.operations[`${wire.channel}.${name}.event`] = {
      action: 'send',
      ...describe(clause),
      ...through(wire.channel, `${name}.event`),
    };
  }

  private clausesOf(names: readonly string[], direction: Direction): (name: string) => Clause {
    const clauses = clausesIn(this.docs, direction);
    const missing = names.filter((name) => !clauses.has(name));
    if (missing.length > 0) throw new Error(`docs/protocol.md lacks ${missing.join(', ')}`);
    return (name) => clauses.get(name) as Clause;
  }
}

function describe({ number, purpose }: Clause): JsonSchema {
  return {
    summary: `Clause ${number}`,
    ...(purpose === undefined ? {} : { description: purpose }),
  };
}

function replyMessage(wire: Wire, outcome: JsonSchema): JsonSchema {
  return {
    ...(wire.correlation === undefined ? {} : { correlationId: wire.correlation.reply }),
    payload: wire.reply(outcome),
  };
}

function through(channel: string, ...messages: readonly string[]): JsonSchema {
  return {
    channel: { $ref: `#/channels/${channel}` },
    messages: messages.map((message) => ({ $ref: `#/channels/${channel}/messages/${message}` })),
  };
}
