import { Reader } from '#src/database/reader.js';
import { ERRORS } from '#src/protocol/errors.js';
import { ReservedNames } from '#src/users/reserved-names.js';

import { HeldReader } from '../support/held-reader.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const reserved = new ReservedNames();
for (const name of ['dice', 'help', 'poll', 'remind', 'welcome']) reserved.reserve(name);

describe('a reserved bot name', () => {
  test.each([
    ...['dice', ' D i c e ', 'dicé', 'd1ce', '@dice!', 'ＤＩＣＥ', 'ḋīçë'],
    ...['đice', 'Đice', 'ɗice', 'ɖice', 'dɨce', 'diȼe', 'dicɇ', 'ᴅice', 'dɪᴄᴇ', 'dіcе'],
    ...['pøll', 'Pøll', 'połl', 'PoŁl', 'poƚl', 'ᵽoll', 'pɵll', 'ᴘᴏʟʟ', 'pօll', 'pօլլ'],
    ...['ħelp', 'Ħelp', 'ɦelp', 'ʜelp', 'ʜᴇʟᴘ', 'հelp', 'Հelp', 'һelр'],
    ...['ʀᴇᴍɪɴᴅ', 'remiոd', 'remiռd', 'rernind', 'ɍemind', 'remiɲd'],
    ...['ᴡᴇʟᴄᴏᴍᴇ', 'vvelcome', 'wеlcоmе', 'welcoɱe', 'աelcome'],
  ])('cannot be used as %s', (name) => {
    expect(() => reserved.check(name)).toThrow(ERRORS.name_reserved.message);
  });

  test.each(['dicey', 'dic', 'ann dice', 'Łódź', 'Søren', 'Đorđe', 'Հայկ', 'Øystein', 'Pål'])(
    'does not reserve %s',
    (name) => {
      expect(() => reserved.check(name)).not.toThrow();
    },
  );
});

describe('guests who connect at once', () => {
  const NAMES = Array.from({ length: 30 }, (_, i) => `guest ${String(i)}`);
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ PARLANCE_LIMIT_GUESTS_PER_HOUR: '1000' });
  });

  afterAll(async () => {
    await server.dispose();
  });

  test('do not wait for an unresponsive database, and cause one read together', async () => {
    const reader = server.app.get(Reader);
    const held = HeldReader.hold(server);
    const snapshot = reader.snapshot.bind(reader);
    let reads = 0;
    reader.snapshot = (queries) => {
      reads++;
      return snapshot(queries);
    };
    const guests = await Promise.all(
      NAMES.map((name) => connectClient('websocket', server.port, { name })),
    );
    const readsOfAll = reads;
    await held.release();

    expect(guests.map(({ welcome }) => welcome.user.name)).toEqual(NAMES);
    expect(readsOfAll).toBe(1);
  });
});
