import type { LogEvent } from '#src/protocol/events.js';

import type { TestClient } from '../support/client.js';
import { ALL_CARRIERS, Scene } from './scene.js';
import { ROOM } from './talk.js';

const ROUNDS = 12;
/** The round in which clients miss more events than a resume returns. */
const LONG_ROUND = 5;
const TEST_MS = 60_000;

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.dispose());

test(
  'sends and delivers each message once and in order while the network breaks repeatedly',
  async () => {
    const clients = await Promise.all(ALL_CARRIERS.map((one) => scene.member(one, ROOM)));
    const rob = await scene.bystander();
    const cut = await rob.ok('room.join', { room: ROOM });
    const texts: string[] = [];
    const sent: Promise<unknown>[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const { chat } of [...clients, ...clients]) {
        const text = `said ${String(texts.length)}`;
        texts.push(text);
        sent.push(chat.send({ room: ROOM, text }));
      }
      // The cut comes before anything is sent, or when some messages are stored or answered.
      if (round % 3 > 0) await Promise.race(sent.slice(-round));
      scene.proxy.cut();
      const missed = Array.from({ length: round === LONG_ROUND ? 120 : 5 }, () =>
        rob.post('message.send', { room: ROOM, text: 'missed' }),
      );
      if (round % 2 > 0) await rob.reply(missed.at(-1));
      scene.proxy.repair();
    }
    await Promise.all(sent);
    const log = await logAfter(rob, cut);
    const head = log.at(-1)?.data.seq ?? 0;
    await Promise.all(clients.map((client) => client.untilEvent(ROOM, head)));

    for (const client of clients) {
      expect(client.logged(ROOM).slice(-log.length)).toEqual(log);
      const first = (client.cut?.seq ?? 0) + 1;
      expect(client.seqs(ROOM)).toEqual(
        Array.from({ length: head - first + 1 }, (_, i) => first + i),
      );
      expect(client.gaps).toEqual([]);
    }
    const said = log.flatMap((one) => (one.event === 'message.created' ? [one.data.message] : []));
    const ours = said.map(({ text }) => text).filter((text) => text !== 'missed');
    expect(ours.sort()).toEqual(texts.sort());
  },
  TEST_MS,
);

/** Returns the log of the room after a position. */
async function logAfter(
  client: TestClient,
  { epoch, seq: after }: { epoch: string; seq: number },
): Promise<readonly LogEvent[]> {
  const page = await client.ok('room.sync', { room: ROOM, epoch, after });
  if (!('events' in page) || page.hasMore) throw new Error('The log is longer than a page.');
  return page.events as unknown as LogEvent[];
}
