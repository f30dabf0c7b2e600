import assert from 'node:assert/strict';

import { Database } from '#src/database/database.js';
import { Writer } from '#src/database/writer.js';

import { eventually } from '../support/eventually.js';
import { HeldWriter } from '../support/held-writer.js';
import { loseTransaction } from '../support/lose-transaction.js';
import type { TestServer } from '../support/server.js';
import { meet, say } from './meeting.js';
import { readCut, readHistory } from './reading.js';
import { verifies } from './suite.js';

verifies(
  ['P-5.15', 'P-4.2', 'P-6.3'],
  'answers commands that the database lost with a retryable error',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const message = { room, text: 'hi', cid: 'c-1' };

    const held = await HeldWriter.hold(scene.server);
    const lost = ann.post('message.send', message);
    const other = bob.post('user.update', { name: 'robert' });
    await held.untilQueued(2);
    const failed = held.add(loseTransaction);
    held.release();
    await assert.rejects(failed);
    const replies = [await ann.reply(lost), await bob.reply(other)];
    const sent = await ann.ok('message.send', message);

    for (const reply of replies) {
      assert(!reply.ok, 'nothing of a lost transaction is acknowledged');
      assert.deepEqual(
        { code: reply.error.code, retryable: reply.error.retryable },
        { code: 'unavailable', retryable: true },
      );
    }
    assert.equal(sent.duplicate, false);
    assert.deepEqual(await readHistory(bob, room), [sent.message]);
    assert.equal((await readCut(bob, room)).seq, 4);
    assert.deepEqual(bob.events('user.updated'), []);
  },
  { settings: {} },
);

/** Makes PostgreSQL end the connection of the writer during its next commit. */
async function breakNextCommit(server: TestServer): Promise<void> {
  const statements = [
    // Requirements share a server.
    'CREATE SEQUENCE IF NOT EXISTS fuse',
    'ALTER SEQUENCE fuse RESTART',
    'DROP TRIGGER IF EXISTS blow ON room_events',
    `CREATE OR REPLACE FUNCTION blow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
       IF nextval(''fuse'') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
       RETURN NULL; END'`,
    `CREATE CONSTRAINT TRIGGER blow AFTER INSERT ON room_events
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION blow()`,
  ];
  await server.app.get(Writer).run([], async ({ sql }) => {
    for (const statement of statements) await sql.run(statement);
  });
}

const ON_POSTGRES = {
  settings: {},
  needs: { database: 'postgres', because: 'SQLite always knows the outcome of a commit' },
} as const;

verifies(
  ['P-5.15', 'P-6.3'],
  'keeps all connections after a commit with an unknown outcome, and misses no event',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { seq } = await readCut(bob, room);
    const message = { room, text: 'hi', cid: 'c-1' };

    await breakNextCommit(server);
    const refusal = await ann.expectError('message.send', message, 'unavailable');
    await eventually(() => server.app.get(Database).isReady(), 'the database to be back');
    const { message: stored, duplicate } = await ann.ok('message.send', message);
    await say(ann, room, 'and on');
    await bob.event('message.created', ({ message: { text } }) => text === 'and on');

    assert.equal(refusal.retryable, true);
    assert.equal(duplicate, false);
    assert.deepEqual(
      bob.events('message.created').map(({ data }) => [data['seq'], data['message']]),
      (await readHistory(bob, room)).map((one) => [one.seq, one]),
    );
    assert.equal(stored.seq, seq + 1);
    for (const client of clients) assert.deepEqual(client.events('bye'), []);
  },
  ON_POSTGRES,
);

verifies(
  ['P-5.15', 'P-4.5', 'P-2.14', 'P-5.12'],
  'closes the connections that receive a log of which the database has lost events',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const cat = await scene.join('cat');
    const elsewhere = (await cat.ok('room.join', { room: 'elsewhere', create: true })).room;
    await say(ann, room, 'lost');
    const { epoch, seq } = await readCut(bob, room);

    await server.app.get(Writer).run([], async ({ sql }) => {
      await sql.run('UPDATE rooms SET head = head - 1 WHERE id = $1', room);
      await sql.run('DELETE FROM room_events WHERE room_id = $1 AND seq = $2', room, seq);
      await sql.run('DELETE FROM messages WHERE room_id = $1', room);
    });
    await breakNextCommit(server);
    await cat.expectError('message.send', { room: elsewhere, text: 'hi' }, 'unavailable');
    const byes = [await ann.event('bye'), await bob.event('bye')];
    await bob.end();
    const resume = { [room]: { epoch, seq } };
    const back = await scene.join('bob', { token: bob.welcome.token, resume });
    const cut = await readCut(back, room);
    await say(cat, elsewhere, 'still here');

    for (const { code, reconnect } of byes) {
      assert.deepEqual({ code, reconnect }, { code: 4204, reconnect: true });
    }
    assert.deepEqual(back.welcome.resumed, { [room]: { complete: false, reason: 'ahead' } });
    assert.deepEqual({ seq: cut.seq, messages: cut.messages }, { seq: seq - 1, messages: [] });
    assert.deepEqual(cat.events('bye'), []);
  },
  ON_POSTGRES,
);
