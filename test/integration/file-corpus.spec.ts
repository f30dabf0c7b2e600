import sharp from 'sharp';

import { startServer, type TestServer } from '../support/server.js';
import type { TestClient } from '../support/client.js';
import { FORMATS, picture } from '../support/pictures.js';
import { png as pngOf, pngChunk } from '../support/png.js';
import { bearer, errorOf, read, upload, uploaded } from '../support/uploads.js';
import { connectClient } from '../support/wire-transports.js';

const SCRIPT = 'alert(document.cookie)';
const HTML = `<html><body><script>${SCRIPT}</script></body></html>`;
const OTHER = 'application/octet-stream';

let server: TestServer;
let ann: TestClient;

beforeAll(async () => {
  server = await startServer();
  ann = await connectClient('websocket', server.port, { name: 'ann' });
});

afterAll(async () => {
  await ann.close();
  await server.dispose();
});

/** Uploads bytes; returns the type and bytes that are stored. */
async function stored(bytes: Buffer): Promise<{ type: string; bytes: Buffer }> {
  const { type, url } = await uploaded(server.url, ann, bytes);
  return { type, bytes: (await read(server.url, url, ann)).bytes };
}

async function refused(bytes: Buffer, status: number, code: string): Promise<void> {
  errorOf(await upload(server.url, bytes, { headers: bearer(ann) }), status, code);
}

/** Inserts a comment with HTML after the start of a JPEG. */
function withComment(jpeg: Buffer): Buffer {
  const mark = Buffer.from([0xff, 0xfe, 0, HTML.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), mark, Buffer.from(HTML), jpeg.subarray(2)]);
}

describe('a file that is not an image', () => {
  test.each([
    [
      'SVG with a script',
      `<svg xmlns="http://www.w3.org/2000/svg"><script>${SCRIPT}</script></svg>`,
    ],
    ['SVG after a declaration', `\uFEFF<?xml version="1.0"?>\n<svg onload="${SCRIPT}"/>`],
    ['HTML', HTML],
    ['a script after blanks', `   \n<script>${SCRIPT}</script>`],
    ['PDF', `%PDF-1.7\n/JS (${SCRIPT})`],
    ['PostScript', '%!PS-Adobe-3.0\n(%pipe%id) (w) file'],
    [
      'a program of ImageMagick',
      'push graphic-context\nimage over 0,0 0,0 "ephemeral:/etc/passwd"',
    ],
    ['half a signature of GIF', 'GIF88a'],
    ['a RIFF file with sound', 'RIFF\x24\0\0\0WAVEfmt '],
    ['a video of the AVIF family', '\0\0\0\x18ftypisom\0\0\0\0isommp42'],
    ['one byte', 'G'],
  ])('%s is stored unchanged, as a type that browsers do not run', async (_name, text) => {
    const bytes = Buffer.from(text, text.startsWith('\uFEFF') ? 'utf8' : 'latin1');

    expect(await stored(bytes)).toEqual({ type: OTHER, bytes });
  });

  test('an image of an unsupported format is stored the same way', async () => {
    const create = { width: 4, height: 4, channels: 3, background: 'red' } as const;
    const tiff = await sharp({ create }).tiff().toBuffer();

    expect((await stored(tiff)).type).toBe(OTHER);
  });
});

describe('a file that is both an image and something else', () => {
  test('a GIF that is also a script is stored as a GIF only', async () => {
    const gif = await picture('gif', { width: 0x2a, height: 0x2f });
    const polyglot = Buffer.concat([gif, Buffer.from(`*/=1;${SCRIPT}`)]);

    const { type, bytes } = await stored(polyglot);

    expect(type).toBe('image/gif');
    expect(bytes.includes(SCRIPT)).toBe(false);
  });

  test('a script that begins like a GIF is refused', async () => {
    await refused(
      Buffer.from(`GIF89a/*\0\0\0\0\0*/=1;${SCRIPT}`, 'latin1'),
      422,
      'image_unreadable',
    );
  });

  test('a JPEG that is also a page is stored as a JPEG only', async () => {
    const jpeg = await picture('jpeg');
    const polyglot = Buffer.concat([withComment(jpeg), Buffer.from(HTML)]);

    const { type, bytes } = await stored(polyglot);

    expect(type).toBe('image/jpeg');
    expect(bytes.includes('script')).toBe(false);
  });

  test('a PNG with a text and an archive is stored as a PNG only', async () => {
    const png = await picture('png');
    const text = pngChunk('tEXt', Buffer.from(`Comment\0${HTML}`, 'latin1'));
    const start = 33;
    const archive = Buffer.from('PK\x03\x04 secret.txt', 'latin1');
    const polyglot = Buffer.concat([png.subarray(0, start), text, png.subarray(start), archive]);

    const { type, bytes } = await stored(polyglot);

    expect(type).toBe('image/png');
    for (const rest of ['script', 'secret']) expect(bytes.includes(rest)).toBe(false);
  });

  test.each(FORMATS)('a %s with a valid head and HTML after it is refused', async (format) => {
    const image = await picture(format);
    const junk = Buffer.concat([image.subarray(0, 32), Buffer.from(HTML.repeat(20))]);

    await refused(junk, 422, 'image_unreadable');
  });

  test('an SVG after the signature of a PNG is refused', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

    await refused(Buffer.concat([signature, svg]), 422, 'image_unreadable');
  });
});

describe('an image that is too large to decode is refused', () => {
  test('a PNG of 65535 × 65535, from its header', async () => {
    const bytes = await pngOf({ width: 65_535, height: 65_535 }, Buffer.alloc(20));

    await refused(bytes, 413, 'too_large');
  });

  test('a PNG of the maximum width of the format', async () => {
    const bytes = await pngOf({ width: 0x7fffffff, height: 1 }, Buffer.alloc(20));
    const answer = await upload(server.url, bytes, { headers: bearer(ann) });

    expect([413, 422]).toContain(answer.status);
  });

  test('a GIF of 65535 × 65535, from its header', async () => {
    const gif = await picture('gif');
    // The size of the screen, and that of its only frame.
    const frame = gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0]));
    for (const at of [6, 8, frame + 5, frame + 7]) gif.writeUInt16LE(65_535, at);

    await refused(gif, 413, 'too_large');
  });

  test('a small file with very many pixels', async () => {
    const png = await picture('png', { width: 8_000, height: 4_001 });

    expect(png.length).toBeLessThan(1_000_000);
    await refused(png, 413, 'too_large');
  });
});

test('a hundred simultaneous images are all stored, and other users do not wait for them', async () => {
  const guests: TestClient[] = [];
  while (guests.length < 25) {
    guests.push(
      await connectClient('websocket', server.port, { name: `g${String(guests.length)}` }),
    );
  }
  const bytes = await picture('png', { width: 400, height: 300 });

  const uploads = guests.flatMap((guest) =>
    Array.from({ length: 4 }, () => uploaded(server.url, guest, bytes)),
  );
  const files = Promise.all(uploads);
  await ann.roundTrip();

  expect(new Set((await files).map(({ id }) => id)).size).toBe(100);
  await Promise.all(guests.map((guest) => guest.close()));
});
