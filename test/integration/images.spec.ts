import { platform } from 'node:os';
import { deflateSync } from 'node:zlib';

import sharp, { type Sharp } from 'sharp';

import { dropTexts } from '../../src/files/images/containers/png.js';
import { DecoderMemory } from '../support/decoders.js';
import { FORMATS, noise, picture } from '../support/pictures.js';
import { png, pngChunk } from '../support/png.js';
import { startServer, type TestServer } from '../support/server.js';
import type { TestClient } from '../support/client.js';
import { bearer, errorOf, read, upload, uploaded } from '../support/uploads.js';
import { connectClient } from '../support/wire-transports.js';

const MEMORY_BYTES = 160_000_000;
/** Memory that the process may use beyond its limit before the watchdog notices. */
const SLACK_BYTES = 96_000_000;
const SMALL = {
  PARLANCE_LIMIT_IMAGE_DECODED_BYTES: '255999999',
  PARLANCE_LIMIT_IMAGE_MEMORY_BYTES: String(MEMORY_BYTES),
};
const [GREY, RGB, RGBA] = [0, 2, 6];
const FEW = Buffer.alloc(1_000);
const MANY = Buffer.alloc(50_000_000);

let server: TestServer;
let ann: TestClient;
let bob: TestClient;
let cid: TestClient;
/** A server with small limits, and its guest. */
let small: TestServer;
let dan: TestClient;

beforeAll(async () => {
  [server, small] = await Promise.all([startServer(), startServer(SMALL)]);
  dan = await connectClient('websocket', small.port, { name: 'dan' });
  const guest = (name: string) => connectClient('websocket', server.port, { name });
  [ann, bob, cid] = [await guest('ann'), await guest('bob'), await guest('cid')];
});

afterAll(async () => {
  await Promise.all([ann, bob, cid, dan].map((client) => client.close()));
  await Promise.all([server, small].map((one) => one.dispose()));
});

/** Uploads an image that is too large; returns the name of the limit in the error. */
async function limitFor(bytes: Buffer): Promise<unknown> {
  const answer = await upload(server.url, bytes, { headers: bearer(ann) });
  return errorOf(answer, 413, 'too_large').details?.['limit'];
}

/** Uploads an image; returns the stored bytes. */
async function stored(bytes: Buffer): Promise<Buffer> {
  const { url } = await uploaded(server.url, ann, bytes);
  return (await read(server.url, url, ann)).bytes;
}

function pixelsOf(bytes: Buffer): Promise<Buffer> {
  return sharp(bytes, { failOn: 'none' }).ensureAlpha().raw().toBuffer();
}

/** Returns a picture of thin coloured lines on white. */
function lines(): Sharp {
  const [width, height] = [400, 300];
  const pixels = Buffer.alloc(width * height * 3, 255);
  for (let y = 0; y < height; y++) {
    for (let x = y % 10; x < width; x += 10) {
      pixels.set([x % 200, y % 180, (x * y) % 256], (y * width + x) * 3);
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Returns a black, interlaced PNG that decodes to eight bytes per pixel, all in memory. */
function heavyPng(side: number): Promise<Buffer> {
  const bytes = side * side * 8 + side * 8;
  const header = { width: side, height: side, bitDepth: 16, colorType: RGBA, isInterlaced: true };
  return png(header, Buffer.alloc(bytes));
}

describe('the limits of images: the server', () => {
  test.each([
    ['16,000,000 x 2 pixels of 16 bit RGBA', 16_000_000, 2, 16, RGBA],
    ['8,000,000 x 4 pixels of 16 bit RGBA', 8_000_000, 4, 16, RGBA],
    ['1 x 32,000,000 pixels of 8 bit grey', 1, 32_000_000, 8, GREY],
    ['16,385 x 1 pixels', 16_385, 1, 8, RGB],
  ])('refuses a PNG of %s from its header', async (_name, width, height, bitDepth, colorType) => {
    const bytes = await png({ width, height, bitDepth, colorType }, FEW);

    expect(await limitFor(bytes)).toBe('imageSide');
  });

  test('refuses a PNG of 32,000,000 x 1 pixels in a message', async () => {
    const header = { width: 32_000_000, height: 1, bitDepth: 1, colorType: GREY };
    const bytes = await png(header, Buffer.alloc(4_000_001));
    await ann.ok('room.create', { room: 'wide' });

    const data = { room: 'wide', image: { data: bytes.toString('base64') } };
    const error = await ann.expectError('message.send', data, 'too_large');

    expect(bytes.length).toBeLessThan(20_000);
    expect(error.details).toEqual({ limit: 'imageSide', value: 16_384 });
  });

  test('accepts an image whose side is at the limit', async () => {
    const file = await uploaded(
      server.url,
      ann,
      await picture('png', { width: 16_384, height: 1 }),
    );

    expect(file.width).toBe(16_384);
  });

  test('refuses a PNG with more decoded bytes than the limit, from its header', async () => {
    const header = { width: 16_000, height: 2_000, bitDepth: 16, colorType: RGBA };

    const answer = await upload(small.url, await png(header, FEW), { headers: bearer(dan) });

    expect(errorOf(answer, 413, 'too_large').details?.['limit']).toBe('imageDecodedBytes');
  });

  const onLinux = platform() === 'linux' ? test : test.skip;
  onLinux('uses no more memory than the limit, and stores the next image', async () => {
    const heavy = await heavyPng(4_000);
    const memory = new DecoderMemory();

    const answer = await upload(small.url, heavy, { headers: bearer(dan) });

    const peak = memory.end();
    const { details } = errorOf(answer, 413, 'too_large');
    expect(details).toEqual({ limit: 'imageMemoryBytes', value: MEMORY_BYTES });
    expect(peak).toBeGreaterThan(MEMORY_BYTES / 2);
    expect(peak).toBeLessThan(MEMORY_BYTES + SLACK_BYTES);
    await uploaded(small.url, dan, await picture('png'));
  });

  test('refuses an image that takes longer than the limit', async () => {
    const quick = await startServer({ PARLANCE_LIMIT_IMAGE_MS: '1' });
    const eve = await connectClient('websocket', quick.port, { name: 'eve' });

    const bytes = await noise('png', 500, 500);
    const answer = await upload(quick.url, bytes, { headers: bearer(eve) });

    const error = errorOf(answer, 413, 'too_large');
    expect(error.details).toEqual({ limit: 'imageMs', value: 1 });
    await eve.close();
    await quick.dispose();
  });

  test('does not delay a small image because of heavy images of two other users', async () => {
    const ended: string[] = [];
    const heavy = await heavyPng(2_600);
    const store = async (client: TestClient, bytes: Buffer, name: string) => {
      await uploaded(server.url, client, bytes);
      ended.push(name);
    };

    await Promise.all([
      store(ann, heavy, 'heavy'),
      store(bob, heavy, 'heavy'),
      store(cid, await picture('png', { width: 50, height: 50 }), 'small'),
    ]);

    expect(ended.indexOf('small')).toBeLessThan(2);
  });
});

describe('images that browsers show are stored:', () => {
  test('a JPEG of 1,000,000 empty comments', async () => {
    const jpeg = await picture('jpeg');
    const comments = Buffer.alloc(4_000_000, Buffer.from([0xff, 0xfe, 0, 2]));

    const clean = await stored(Buffer.concat([jpeg.subarray(0, 2), comments, jpeg.subarray(2)]));

    expect(await pixelsOf(clean)).toEqual(await pixelsOf(jpeg));
  });

  test('a JPEG whose scan has Ss,Se,AhAl = 0,0,0, as Samsung phones write it', async () => {
    const jpeg = await picture('jpeg');
    const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]));
    const end = scan + 2 + jpeg.readUInt16BE(scan + 2);
    jpeg.fill(0, end - 3, end);

    const clean = await stored(jpeg);

    await expect(sharp(clean, { failOn: 'warning' }).stats()).resolves.toBeDefined();
  });

  test('a JPEG with two stray bytes before a marker', async () => {
    const jpeg = await picture('jpeg');
    const at = jpeg.indexOf(Buffer.from([0xff, 0xc4]));
    const bytes = Buffer.concat([jpeg.subarray(0, at), Buffer.from([1, 2]), jpeg.subarray(at)]);

    const clean = await stored(bytes);

    await expect(sharp(clean, { failOn: 'warning' }).stats()).resolves.toBeDefined();
  });

  test('a PNG without its last chunk, and one with a wrong checksum', async () => {
    const image = await picture('png');
    const text = pngChunk('tEXt', Buffer.from('a\0b'));
    text.fill(0, text.length - 4);
    const wrong = Buffer.concat([image.subarray(0, 33), text, image.subarray(33)]);

    for (const bytes of [image.subarray(0, -12), wrong]) {
      expect(await pixelsOf(await stored(bytes))).toEqual(await pixelsOf(image));
    }
  });

  test.each(FORMATS)('except a %s that is truncated anywhere', async (format) => {
    const bytes = await noise(format, 60, 60);

    for (let part = 1; part < 10; part++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * part) / 10));
      const answer = await upload(server.url, cut, { headers: bearer(ann) });
      errorOf(answer, 422, 'image_unreadable');
    }
  });

  test('except an animated GIF that is truncated between two frames', async () => {
    const frames = [await noise('png', 40, 40), await noise('png', 40, 40)];
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();

    const answer = await upload(server.url, gif.subarray(0, -900), { headers: bearer(ann) });

    errorOf(answer, 422, 'image_unreadable');
  });
});

describe('a stored image:', () => {
  test('a GIF with a screen of 65,535 x 65,535 pixels is cropped to its frame', async () => {
    const gif = await picture('gif', { width: 20, height: 10 });
    gif.fill(0xff, 6, 10);

    const clean = await stored(gif);

    const size = { width: clean.readUInt16LE(6), height: clean.readUInt16LE(8) };
    expect(size).toEqual({ width: 20, height: 10 });
  });

  test('a PNG of 50 x 50 pixels is decoded without its texts of 50 MB', async () => {
    const image = await picture('png', { width: 50, height: 50 });
    const text = pngChunk('zTXt', Buffer.concat([Buffer.from('a\0\0'), deflateSync(MANY)]));
    const bytes = Buffer.concat([image.subarray(0, 33), text, text, image.subarray(33)]);

    expect(dropTexts(bytes)).toEqual(image);
    expect(await pixelsOf(await stored(bytes))).toEqual(await pixelsOf(image));
  });

  test('a PNG of 1600 x 1200 pixels with a gradient does not grow', async () => {
    const [width, height] = [1_600, 1_200];
    const pixels = Buffer.alloc(width * height * 3);
    for (let at = 0; at < width * height; at++) {
      const [x, y] = [at % width, Math.floor(at / width)];
      pixels.set([(x * 255) / width, (y * 255) / height, 128], at * 3);
    }
    const raw = sharp(pixels, { raw: { width, height, channels: 3 } });
    const bytes = await raw.png({ adaptiveFiltering: true, compressionLevel: 9 }).toBuffer();

    const kept = await stored(bytes);

    expect(kept.length).toBeLessThanOrEqual(bytes.length);
    expect(await pixelsOf(kept)).toEqual(await pixelsOf(bytes));
  });

  test('a PNG of 5000 x 5000 pixels does not grow', async () => {
    const bytes = await picture('png', { width: 5_000, height: 5_000 });

    expect((await stored(bytes)).length).toBeLessThanOrEqual(bytes.length);
  });

  test.each(['webp', 'avif'] as const)('a lossless %s stays lossless', async (format) => {
    const bytes = await lines().toFormat(format, { lossless: true }).toBuffer();

    const kept = await stored(bytes);

    expect(kept.length).toBeLessThanOrEqual(bytes.length);
    expect(await pixelsOf(kept)).toEqual(await pixelsOf(bytes));
  });

  test.each(FORMATS)('a %s has no metadata and nothing after its end', async (format) => {
    const secret = 'secret place';
    const image = lines().withExifMerge({ IFD0: { Copyright: secret } });
    const bytes = await image.toFormat(format, { quality: 50 }).toBuffer();

    const kept = await stored(Buffer.concat([bytes, Buffer.from(`<script>${secret}</script>`)]));

    expect(kept.includes(secret)).toBe(false);
    const metadata = await sharp(kept).metadata();
    expect(metadata.exif).toBeUndefined();
    expect(metadata.format).toBe(format === 'avif' ? 'heif' : format);
    expect(await pixelsOf(kept)).toEqual(await pixelsOf(bytes));
  });

  test('an AVIF keeps its transparency', async () => {
    const bytes = await lines().ensureAlpha(0.5).avif({ quality: 50 }).toBuffer();

    expect(await pixelsOf(await stored(bytes))).toEqual(await pixelsOf(bytes));
  });
});
