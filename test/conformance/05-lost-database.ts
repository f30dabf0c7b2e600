import assert from 'node:assert/strict';

import { Writer } from '#src/database/writer.js';

import { HeldWriter } from '../support/held-writer.js';
import { loseTransaction } from '../support/lose-transaction.js';
import type { TestServer } from '../support/server.js';
import { meet, say } from './meeting.js';
import { readCut, readHistory } from './reading.js';
import { verifies } from './suite.js';

verifies(
  ['P-5.15', 'P-4.2', 'P-6.3'],
  'has commands sent again that the database lost',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const message = { room, text: 'hi', cid: 'c-1' };

    const held = await HeldWriter.of(scene.server);
    const lost = ann.post('message.send', message);
    const other = bob.post('user.update', { name: 'robert' });
    await held.waiting(2);
    const failed = held.add(loseTransaction);
    held.release();
    await assert.rejects(failed);
    const replies = [await ann.reply(lost), await bob.reply(other)];
    const sent = await ann.ok('message.send', message);

    for (const reply of replies) {
      assert(!reply.ok, 'nothing of a lost transaction is acknowledged');
      assert.deepEqual([reply.error.code, reply.error.retryable], ['unavailable', true]);
    }
    assert.equal(sent.duplicate, false);
    assert.deepEqual(await readHistory(bob, room), [sent.message]);
    assert.equal((await readCut(bob, room)).seq, 4);
    assert.deepEqual(bob.events('user.updated'), []);
  },
  { settings: {} },
);

/** Has PostgreSQL end the connection of the writer in the middle of its next commit. */
async function breakNextCommit(server: TestServer): Promise<void> {
  const statements = [
    'CREATE SEQUENCE fuse',
    `CREATE FUNCTION blow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
       IF nextval(''fuse'') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
       RETURN NULL; END'`,
    `CREATE CONSTRAINT TRIGGER blow AFTER INSERT ON room_events
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION blow()`,
  ];
  await server.app.get(Writer).run(async ({ sql }) => {
    for (const statement of statements) await sql.run(statement);
  });
}

verifies(
  ['P-5.15', 'P-4.5', 'P-2.14'],
  'has everybody come back after a commit of unknown outcome',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch, seq } = await readCut(bob, room);
    const message = { room, text: 'hi', cid: 'c-1' };

    await breakNextCommit(server);
    ann.post('message.send', message);
    const byes = [await ann.event('bye'), await bob.event('bye')];
    await ann.end();
    await bob.end();
    const annBack = await scene.join('ann', { token: ann.welcome.token });
    const { message: stored } = await annBack.ok('message.send', message);
    const resume = { [room]: { epoch, seq } };
    const bobBack = await scene.join('bob', { token: bob.welcome.token, resume });
    const missed = await bobBack.event('message.created');
    await say(annBack, room, 'and on');

    for (const bye of byes) assert.deepEqual([bye.code, bye.reconnect], [4204, true]);
    assert.deepEqual(missed.message, stored);
    assert.deepEqual(
      (await readHistory(bobBack, room)).map(({ text }) => text),
      ['hi', 'and on'],
    );
  },
  {
    settings: {},
    needs: { database: 'postgres', because: 'SQLite always knows what became of a commit' },
  },
);
