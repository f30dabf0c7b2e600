import { z } from 'zod';

import { isJsonObject } from '../../protocol/codec.js';

/** What people type may come as a number. */
const Typed = z.union([z.string(), z.number().transform(String)]);
/** What is left empty was not given. */
const Optional = Typed.nullish().transform((typed) =>
  typed == null || typed.trim() === '' ? undefined : typed,
);

const Payload = z.object({
  event: z.enum(['join', 'leave', 'users', 'chat', 'image']).default('users'),
  user: Optional,
  room: Optional,
  text: Optional,
  message: Optional,
  bimage: z.string().optional(),
});
export type Payload = z.output<typeof Payload>;

const DATA_URL = /^data:image\/([\w.+-]{1,32});base64,([A-Za-z0-9+/]+={0,2})$/;

/** Reads a payload of simple chat, an object or the JSON of one; null if it cannot be read. */
export function readPayload(data: unknown): Payload | null {
  const { success, data: payload } = Payload.safeParse(
    typeof data === 'string' ? parse(data) : data,
  );
  return success && isJsonObject(payload) ? payload : null;
}

/** Reads an image out of a data URL; null if it is none. */
export function readDataUrl(url: string): { bytes: Buffer; name: string } | null {
  const [, type, base64 = ''] = DATA_URL.exec(url) ?? [];
  if (type === undefined) return null;
  return { bytes: Buffer.from(base64, 'base64'), name: `image.${type.replace(/\+.*/, '')}` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
