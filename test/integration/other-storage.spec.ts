import { readFile, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';

import type { FileStorage } from '#src/files/file-storage.js';

import { eventually } from '../support/eventually.js';
import { picture } from '../support/pictures.js';
import { startServer } from '../support/server.js';
import { read, uploaded } from '../support/uploads.js';
import { connectClient } from '../support/wire-transports.js';

/** A file storage in memory, as an example of an app's own storage. */
class StorageInMemory implements FileStorage {
  readonly files = new Map<string, Buffer>();

  async put(key: string, path: string): Promise<void> {
    this.files.set(key, await readFile(path));
    await rm(path);
  }

  open(key: string): Promise<Readable | null> {
    const bytes = this.files.get(key);
    return Promise.resolve(bytes === undefined ? null : Readable.from([bytes]));
  }

  remove(key: string): Promise<void> {
    this.files.delete(key);
    return Promise.resolve();
  }

  async *keys(): AsyncIterable<readonly string[]> {
    yield await Promise.resolve([...this.files.keys()]);
  }
}

test('an app can provide its own file storage', async () => {
  const storage = new StorageInMemory();
  const server = await startServer({}, { storage });
  const ann = await connectClient('websocket', server.port, { name: 'ann' });
  await ann.ok('room.join', { room: 'general' });

  const file = await uploaded(server.url, ann, await picture('png'));
  const sent = await ann.ok('message.send', { room: 'general', files: [file.id] });

  expect(storage.files.size).toBe(2);
  expect((await read(server.url, file.url, ann)).bytes).toEqual(storage.files.get(file.id));
  await ann.ok('message.delete', { room: 'general', message: sent.message.id });
  await eventually(() => storage.files.size === 0, 'the removal of the bytes');
  await ann.close();
  await server.dispose();
});
