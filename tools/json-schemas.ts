import { z } from 'zod';

import * as protocol from '../src/protocol/index.js';

/** A JSON Schema as a plain object. */
export type JsonSchema = Record<string, unknown>;

/** The schema of an error in a reply or an `error` event (P-4.1). */
const WireError = protocol.EVENTS.error.shape.error;

/** Models that several schemas contain; a schema refers to them by name. */
const MODELS = {
  HistoryPage: protocol.HistoryPage,
  Member: protocol.Member,
  Message: protocol.Message,
  Reaction: protocol.Reaction,
  Replay: protocol.Replay,
  ReplayedEvent: protocol.ReplayedEvent,
  Resumed: protocol.Resumed,
  Room: protocol.Room,
  RoomCut: protocol.RoomCut,
  RoomPresence: protocol.RoomPresence,
  User: protocol.User,
  Welcome: protocol.Welcome,
  WireError,
};

/** Rules that a JSON Schema cannot express; the server checks more than the schema does. */
const REMARKS = new Map<z.ZodType, string>([
  [
    protocol.RoomRef,
    'Public name of a room, in any case and form, @me or a direct room (P-5.1, P-5.14, P-5.16).',
  ],
  [protocol.Title, 'Title of a room: 1 to 64 visible characters (P-5.1).'],
  [protocol.DisplayName, 'Display name: 1 to 32 visible characters (P-2.6).'],
  [protocol.Emoji, 'Emoji or short code: 1 to 32 visible characters, no spaces (P-6.9).'],
  [protocol.ClientMessageId, 'Id of a message by its client: at most 64 bytes (P-6.3).'],
]);

for (const [id, model] of Object.entries(MODELS)) z.globalRegistry.add(model, { id });
for (const [shape, description] of REMARKS) z.globalRegistry.add(shape, { description });

type Target = 'draft-2020-12' | 'draft-07';

/** Returns the schema of data that a client sends, before the server normalizes it. */
export function schemaOfInput(shape: z.ZodType, target: Target): JsonSchema {
  return z.toJSONSchema(shape, { io: 'input', target });
}

/** Returns the schema of data that a client receives; clients ignore unknown fields. */
export function schemaOfOutput(shape: z.ZodType, target: Target): JsonSchema {
  return z.toJSONSchema(shape, {
    io: 'output',
    target,
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
}

/** Returns the files of docs/schemas: the data of every command, reply and event. */
export function schemaFiles(): Map<string, JsonSchema> {
  const files = new Map<string, JsonSchema>();
  for (const [name, { data, reply }] of Object.entries(protocol.COMMANDS)) {
    const title = `Data of the command ${name}`;
    files.set(`${name}.command.json`, titled(title, schemaOfInput(data, 'draft-2020-12')));
    const replyTitle = `Data of the reply to ${name}`;
    files.set(`${name}.reply.json`, titled(replyTitle, schemaOfOutput(reply, 'draft-2020-12')));
  }
  for (const [name, data] of Object.entries(protocol.EVENTS)) {
    const title = `Data of the event ${name}`;
    files.set(`${name}.event.json`, titled(title, schemaOfOutput(data, 'draft-2020-12')));
  }
  files.set('error.json', titled('An error', schemaOfOutput(WireError, 'draft-2020-12')));
  return files;
}

function titled(title: string, { $schema, ...rest }: JsonSchema): JsonSchema {
  return { $schema, title, ...rest };
}
