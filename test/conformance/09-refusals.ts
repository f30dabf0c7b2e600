import assert from 'node:assert/strict';

import type { TestClient } from '../support/client.js';
import { checkRate, waitOut } from './rate.js';
import { range } from './reading.js';
import { verifies } from './suite.js';

const FEW_REFUSALS = {
  PARLANCE_LIMIT_COMMANDS_PER_SECOND: '10',
  PARLANCE_LIMIT_COMMANDS_BURST: '2',
};

/** Sends pings until `count` are refused; returns how many ms the last refusal says to wait. */
async function pingUntilRefused(client: TestClient, count: number): Promise<number> {
  let wait = 0;
  for (let refused = 0; refused < count && client.closedAs === undefined;) {
    const id = client.post('session.ping');
    await client.until(() => hasReply(client, id) || client.events('bye').length > 0, 'an answer');
    if (!hasReply(client, id)) break;
    const reply = await client.reply(id);
    if (reply.ok) continue;
    refused++;
    wait = checkRate(reply.error, 'commands');
  }
  return wait;
}

function hasReply({ frames }: TestClient, id: string): boolean {
  return (frames as { re?: unknown }[]).some(({ re }) => re === id);
}

verifies(
  ['P-9.10', 'P-4.5'],
  'keeps counting refusals when it accepts a command in between',
  async (scene) => {
    const ann = await scene.join('ann');

    let rounds = 0;
    for (; rounds < 9 && ann.events('bye').length === 0; rounds++) {
      await waitOut(await pingUntilRefused(ann, 12));
    }
    const bye = await ann.event('bye');
    await ann.end();

    // The refusals of one round alone do not close the connection.
    assert(rounds > 1, 'a few refusals close nothing');
    assert.equal(bye.code, 4101);
  },
  { settings: FEW_REFUSALS },
);

verifies(
  ['P-9.10', 'P-3.8'],
  'counts invalid frames against the rate',
  async (scene) => {
    const ann = await scene.join('ann');

    for (const frame of range(1, 40)) {
      if (frame % 8 === 0) ann.post('session.ping');
      else ann.send({ cmd: frame });
    }
    const bye = await ann.event('bye');
    await ann.end();

    assert.equal(bye.code, 4101);
    const { error } = await ann.event('error');
    assert.equal(error.code, 'bad_frame');
  },
  {
    settings: { PARLANCE_LIMIT_COMMANDS_PER_SECOND: '1', PARLANCE_LIMIT_COMMANDS_BURST: '2' },
    only: ['websocket', 'in-memory'],
  },
);

verifies(
  ['P-9.10', 'P-4.5', 'P-2.14'],
  'closes a connection that keeps sending after refusals',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    await ann.roundTrip();

    const refused = range(1, 19).map(() => ann.post('session.ping'));
    const last = await ann.reply(refused.at(-1));
    const { closedAs } = ann;
    ann.post('session.ping');
    const bye = await ann.event('bye');
    const { code } = await ann.end();
    await bob.roundTrip();

    assert.equal(last.ok ? '' : last.error.code, 'rate_limited');
    assert.equal(closedAs, undefined, 'the connection is open one refusal earlier');
    assert.deepEqual({ code: bye.code, reconnect: bye.reconnect }, { code: 4101, reconnect: true });
    if (scene.transport !== 'socket.io polling') assert.equal(code, 4101);
  },
  {
    settings: {
      PARLANCE_LIMIT_COMMANDS_PER_SECOND: '1',
      PARLANCE_LIMIT_COMMANDS_BURST: '2',
    },
  },
);
