import { execFile } from 'node:child_process';

import { Writer } from '#src/database/writer.js';

import { builtProgram } from '../support/built-server.js';
import type { TestClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'verified';
const TEST_MS = 60_000;

let server: TestServer;
let ann: TestClient;

beforeAll(async () => {
  server = await startServer();
  ann = await connectClient('websocket', server.port, { name: 'ann' });
  await ann.ok('room.join', { room: ROOM, create: true });
}, TEST_MS);

afterAll(async () => {
  await ann.close();
  await server.dispose();
});

async function send(text: string): Promise<{ id: string; seq: number }> {
  return (await ann.ok('message.send', { room: ROOM, text })).message;
}

/** Changes the database without the server. */
async function damage(statement: string, ...values: (string | number)[]): Promise<void> {
  await server.app.get(Writer).run([], ({ sql }) => sql.run(statement, ...values));
}

/** Runs `npm run verify` on the database of the running server. */
function verify(): Promise<{ code: number; output: string[] }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'] ?? '', ...server.env };
    execFile(process.execPath, builtProgram('verify'), { env }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim().split('\n');
      resolve({ code: error === null ? 0 : Number(error.code), output: output.slice(0, -1) });
    });
  });
}

test(
  'npm run verify reports no problem after sends, edits, deletions and reactions',
  async () => {
    const [edited, deleted] = [await send('to edit'), await send('to delete')];
    await ann.ok('message.edit', { room: ROOM, message: edited.id, text: 'edited: ü 👍' });
    await ann.ok('message.delete', { room: ROOM, message: deleted.id });
    await ann.ok('message.react', { room: ROOM, message: edited.id, emoji: '👍' });
    await ann.ok('message.send', { room: ROOM, text: 'answer', replyTo: edited.id, cid: 'c' });
    expect(await verify()).toEqual({ code: 0, output: [] });
  },
  TEST_MS,
);

test(
  'npm run verify reports changed texts, changed events, missing messages and missing events',
  async () => {
    const sent = [await send('1'), await send('2'), await send('3'), await send('4')] as const;
    const [text, event, message, gap] = sent;
    await damage(`UPDATE messages SET text = 'q' WHERE id = $1`, text.id);
    await damage(
      'UPDATE room_events SET at = at + 1 WHERE room_id = $1 AND seq = $2',
      ROOM,
      event.seq,
    );
    await damage('DELETE FROM messages WHERE id = $1', message.id);
    await damage('DELETE FROM room_events WHERE room_id = $1 AND seq = $2', ROOM, gap.seq);
    await damage('UPDATE rooms SET head = head + 1 WHERE id = $1', ROOM);
    expect(await verify()).toEqual({
      code: 1,
      output: [
        `${ROOM}, event ${String(text.seq)}: its message ${text.id} has changed since it was stored`,
        `${ROOM}, event ${String(event.seq)}: the event has changed since it was stored`,
        `${ROOM}, event ${String(message.seq)}: its message ${message.id} is missing`,
        `${ROOM}: events ${String(gap.seq)} to ${String(gap.seq + 1)} are missing`,
        `${ROOM}: no event has created the message ${gap.id}`,
      ],
    });
  },
  TEST_MS,
);
