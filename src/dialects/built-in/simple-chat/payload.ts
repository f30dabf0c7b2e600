import { z } from 'zod';

import { isJsonObject } from '../../../protocol/codec.js';

/** Pages may send typed text as a number. */
const Typed = z.union([z.string(), z.number().transform(String)]);
/** A field that is blank counts as absent. */
const Optional = Typed.nullish().transform((typed) =>
  typed == null || typed.trim() === '' ? undefined : typed,
);
/** A text that is empty counts as present. */
const Text = Typed.nullish().transform((typed) => typed ?? undefined);

const Payload = z.object({
  event: z.enum(['join', 'leave', 'users', 'chat', 'image']).default('users'),
  user: Optional,
  room: Optional,
  text: Text,
  message: Text,
  bimage: z.string().optional(),
});
export type Payload = z.output<typeof Payload>;

const DATA_URL = /^data:image\/([\w.+-]{1,32});base64,([A-Za-z0-9+/]+={0,2})$/;

/** Reads the payload of a `chat` event, an object or its JSON; null if it is malformed. */
export function readPayload(data: unknown): Payload | null {
  const { success, data: payload } = Payload.safeParse(
    typeof data === 'string' ? parseJson(data) : data,
  );
  return success && isJsonObject(payload) ? payload : null;
}

/** Decodes an image from a data URL; null if it is malformed. */
export function readDataUrl(url: string): { bytes: Buffer; name: string } | null {
  const [, type, base64 = ''] = DATA_URL.exec(url) ?? [];
  if (type === undefined) return null;
  return { bytes: Buffer.from(base64, 'base64'), name: `image.${type.replace(/\+.*/, '')}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
