import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { request as httpRequest, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

import { FilesService } from '#src/files/files.service.js';

import { captureErrorLog } from '../support/error-log.js';
import { eventually } from '../support/eventually.js';
import { FakeSync } from '../support/fake-sync.js';
import { HeldWriter } from '../support/held-writer.js';
import { loseTransaction } from '../support/lose-transaction.js';
import { look, picture } from '../support/pictures.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { startServer, type TestServer } from '../support/server.js';
import type { TestClient } from '../support/client.js';
import { bearer, errorOf, read, upload, uploaded } from '../support/uploads.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'general';
const TEXT = Buffer.from('minutes of the meeting');
/** Files on disk when nothing is stored. */
const NOTHING: string[] = [];

let server: TestServer;
let ann: TestClient;

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  server = await startServer(env);
  ann = await connectClient('websocket', server.port, { name: 'ann' });
  await ann.ok('room.join', { room: ROOM });
}

afterEach(async () => {
  await ann.close();
  await server.dispose();
});

const folder = () => join(server.env['PARLANCE_DATA_DIR'] ?? '', 'files');

/** Lists the files on disk, including partial uploads. */
async function onDisk(): Promise<string[]> {
  const entries = await readdir(folder(), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Returns the folder that the server keeps for its database. */
async function ownFolder(): Promise<string> {
  const [own = ''] = await readdir(folder());
  return join(folder(), own);
}

/** Starts an upload and aborts it once the server has started to store it. */
async function breakOff(): Promise<void> {
  const headers = { ...bearer(ann), 'content-length': '1000' };
  const half = httpRequest(`${server.url}/api/files`, { method: 'POST', headers });
  half.on('error', () => undefined);
  half.write(Buffer.alloc(500));
  await eventually(async () => (await onDisk()).length > 0, 'the beginning of the upload');
  half.destroy();
}

test('an aborted upload leaves nothing behind', async () => {
  await start();

  const logged = await captureErrorLog(async () => {
    await breakOff();
    await eventually(async () => (await onDisk()).length === 0, 'that nothing is left');
  });

  expect(logged).toEqual([]);
  await uploaded(server.url, ann, TEXT);
});

test('an aborted download affects no other download and logs no error', async () => {
  await start({ PARLANCE_LIMIT_UNSENT_BYTES: '20000000' });
  const large = await uploaded(server.url, ann, Buffer.alloc(10_000_000));

  const logged = await captureErrorLog(async () => {
    for (let i = 0; i < 5; i++) {
      const leaving = new AbortController();
      const init = { headers: bearer(ann), signal: leaving.signal };
      expect((await fetch(server.url + large.url, init)).status).toBe(200);
      leaving.abort();
    }
    expect((await read(server.url, large.url, ann)).bytes.length).toBe(10_000_000);
  });

  expect(logged).toEqual([]);
});

test('a download whose client never reads is closed', async () => {
  await start({ PARLANCE_LIMIT_STALL_MS: '200' });
  const large = await uploaded(server.url, ann, Buffer.alloc(10_000_000));
  const http = server.app.getHttpServer() as Server;
  const served: Socket[] = [];
  http.on('connection', (socket: Socket) => served.push(socket));

  const logged = await captureErrorLog(async () => {
    const idle = connect(server.port, '127.0.0.1').pause();
    const { authorization = '' } = bearer(ann);
    idle.write(
      `GET ${large.url} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`,
    );
    await eventually(() => served.some(({ destroyed }) => destroyed), 'that it is closed');
    expect(served[0]?.bytesWritten).toBeGreaterThan(10_000);
    idle.destroy();
  });

  expect(logged).toEqual([]);
});

test('a full disk is reported, and nothing is left behind', async () => {
  await start();
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  const disk = await FakeSync.install(() => Promise.reject(full));

  const answers = [
    await upload(server.url, TEXT, { headers: bearer(ann) }),
    await upload(server.url, await picture('png'), { headers: bearer(ann) }),
  ];
  const image = { data: (await picture('png')).toString('base64') };
  const error = await ann.expectError('message.send', { room: ROOM, image }, 'unavailable');
  disk.restore();

  for (const answer of answers) errorOf(answer, 507, 'unavailable');
  expect(error.details).toEqual({ storage: 'full' });
  expect(await onDisk()).toEqual(NOTHING);
  await uploaded(server.url, ann, TEXT);
});

test('leftovers of a crash, and only those, are removed at the next start', async () => {
  await start();
  const kept = await uploaded(server.url, ann, await picture('png'));
  const sent = await uploaded(server.url, ann, TEXT);
  await ann.ok('message.send', { room: ROOM, files: [sent.id] });
  const own = await ownFolder();
  await server.stop();
  const lost = 'ab'.repeat(16);
  await mkdir(join(own, 'ab'), { recursive: true });
  for (const file of [`ab/${lost}`, `ab/${lost}.preview`, 'incoming/half']) {
    await writeFile(join(own, file), TEXT);
  }

  const first = server;
  server = await startServer(first.env);
  await eventually(async () => (await onDisk()).length === 3, 'that what was lost is removed');

  expect((await onDisk()).sort()).toEqual([kept.id, `${kept.id}.preview`, sent.id].sort());
  for (const path of [kept.url, kept.preview?.url ?? '', sent.url]) {
    expect((await read(server.url, path, ann)).status).toBe(200);
  }
  await server.stop();
  await first.dispose();
});

test('files that no message took in time leave the disk, those of messages stay', async () => {
  await start({ PARLANCE_LIMIT_UNSENT_MS: '1000' });
  const image = { data: (await picture('png')).toString('base64') };
  const { message } = await ann.ok('message.send', { room: ROOM, image });
  const [{ id = '' } = {}] = message.attachments ?? [];
  await uploaded(server.url, ann, await picture('png'));

  await eventually(async () => (await onDisk()).length === 2, 'that the file is removed');

  expect((await onDisk()).sort()).toEqual([id, `${id}.preview`]);
});

test('the bytes of a message that is deleted leave the disk', async () => {
  await start();
  const file = await uploaded(server.url, ann, TEXT);
  const image = { data: (await picture('png')).toString('base64') };
  const { message } = await ann.ok('message.send', { room: ROOM, files: [file.id], image });
  expect(await onDisk()).toHaveLength(3);

  await ann.ok('message.delete', { room: ROOM, message: message.id });

  expect(await onDisk()).toEqual(NOTHING);
});

test('repeats of an image, and images that are refused, leave nothing more', async () => {
  await start();
  const image = { data: (await picture('webp')).toString('base64') };
  const command = { room: ROOM, image, cid: 'c' };
  const other = await connectClient('websocket', server.port, { token: ann.welcome.token ?? '' });

  await Promise.all([ann, other, ann, other].map((client) => client.ok('message.send', command)));
  const data = { ...command, cid: 'd', replyTo: 'nothing' };
  await ann.expectError('message.send', data, 'not_found');
  await ann.expectError('message.send', { ...command, cid: 'd', files: ['x'] }, 'not_found');

  expect(await onDisk()).toHaveLength(2);
  await other.close();
});

test('bytes whose commit is uncertain stay until it is known', async () => {
  await start();
  const held = await HeldWriter.hold(server);
  const uploading = upload(server.url, TEXT, { headers: bearer(ann) });
  await held.untilQueued(1);
  const failed = expect(held.add(loseTransaction)).rejects.toThrow();
  held.release();
  await failed;

  errorOf(await uploading, 503, 'unavailable');
  expect(await onDisk()).toHaveLength(1);
  await server.stop();
  const first = server;
  server = await startServer(first.env);

  await eventually(async () => (await onDisk()).length === 0, 'that the bytes are removed');
  await server.stop();
  await first.dispose();
});

test('a server with another database and the same folder keeps the files', async () => {
  const shared = { PARLANCE_FILES_DIR: await makeScratchFolder() };
  await start(shared);
  const file = await uploaded(server.url, ann, TEXT);

  const another = await startServer(shared);
  const bob = await connectClient('websocket', another.port, { name: 'bob' });
  await uploaded(another.url, bob, TEXT);
  await another.stop();

  expect((await read(server.url, file.url, ann)).bytes).toEqual(TEXT);
  await bob.close();
  await another.dispose();
});

test('other parts of the server can store bytes from memory and read images', async () => {
  await start();
  const files = server.app.get(FilesService, { strict: false });
  const { id, name } = ann.welcome.user;
  const actor = { id, name, kind: 'guest' as const, ownEpoch: 'x', isStored: true };

  const file = await files.store(actor, await picture('avif'), { name: 'a.avif' });
  const image = await files.readImage(file, file.size);
  const preview = await files.readImage(file, file.size - 1);
  const sent = await ann.ok('message.send', { room: ROOM, files: [file.id] });

  expect(sent.message.attachments).toEqual([file]);
  expect(image?.type).toBe('image/avif');
  expect(image?.bytes).toHaveLength(file.size);
  expect(preview?.type).toBe('image/webp');
  expect((await look(preview?.bytes ?? TEXT)).format).toBe('webp');
  expect(await files.readImage({ ...file, id: '../../token-keys' }, 1)).toBeNull();
});
