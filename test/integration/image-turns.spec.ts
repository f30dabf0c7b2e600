import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { eventually } from '../support/eventually.js';
import { HeldStorage } from '../support/held-storage.js';
import { noise, picture } from '../support/pictures.js';
import { startServer, type TestServer } from '../support/server.js';
import type { TestClient } from '../support/client.js';
import { uploaded } from '../support/uploads.js';
import { greet } from '../support/wire-transports.js';

/** More than a small picture has, and less than noise. */
const HELD_BYTES = 5_000;

let server: TestServer;
let ann: TestClient;
let bob: TestClient;
let cid: TestClient;
let held: HeldStorage;

beforeEach(async () => {
  server = await startServer();
  const guest = (name: string) => greet('websocket', server.port, { name });
  [ann, bob, cid] = [await guest('ann'), await guest('bob'), await guest('cid')];
  held = new HeldStorage(server, HELD_BYTES);
});

afterEach(async () => {
  await Promise.all([ann, bob, cid].map((client) => client.close()));
  await server.dispose();
});

/** Waits until so many files are coming in, that of the image which is held included. */
async function coming(count: number): Promise<void> {
  const files = join(server.env['PARLANCE_DATA_DIR'] ?? '', 'files');
  const [own = ''] = await readdir(files);
  const incoming = () => readdir(join(files, own, 'incoming'));
  await eventually(async () => (await incoming()).length >= count, `${String(count)} files`);
}

test('who brings many images waits for them, and nobody else does', async () => {
  const large = await noise('png', 100, 100);
  const many = Promise.all(Array.from({ length: 4 }, () => uploaded(server.url, ann, large)));
  await held.reached;
  await coming(5);

  await uploaded(server.url, bob, await picture('png'));

  held.release();
  expect(new Set((await many).map(({ id }) => id)).size).toBe(4);
});

test('images that take long do not hold up the others, whoever they are of', async () => {
  const large = await noise('avif', 100, 100);
  const both = Promise.all([uploaded(server.url, ann, large), uploaded(server.url, bob, large)]);
  await held.reached;
  await coming(3);

  await uploaded(server.url, cid, await picture('png'));

  held.release();
  expect(await both).toHaveLength(2);
});
