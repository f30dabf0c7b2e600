import { ERRORS } from '#src/protocol/errors.js';
import { ReservedNames } from '#src/users/reserved-names.js';

const reserved = new ReservedNames();
for (const name of ['dice', 'help', 'poll', 'remind', 'welcome']) reserved.reserve(name);

describe('a name that belongs to a bot', () => {
  test.each([
    ...['dice', ' D i c e ', 'dicé', 'd1ce', '@dice!', 'ＤＩＣＥ', 'ḋīçë'],
    ...['đice', 'Đice', 'ɗice', 'ɖice', 'dɨce', 'diȼe', 'dicɇ', 'ᴅice', 'dɪᴄᴇ', 'dіcе'],
    ...['pøll', 'Pøll', 'połl', 'PoŁl', 'poƚl', 'ᵽoll', 'pɵll', 'ᴘᴏʟʟ', 'pօll', 'pօլլ'],
    ...['ħelp', 'Ħelp', 'ɦelp', 'ʜelp', 'ʜᴇʟᴘ', 'հelp', 'Հelp', 'һelр'],
    ...['ʀᴇᴍɪɴᴅ', 'remiոd', 'remiռd', 'rernind', 'ɍemind', 'remiɲd'],
    ...['ᴡᴇʟᴄᴏᴍᴇ', 'vvelcome', 'wеlcоmе', 'welcoɱe', 'աelcome'],
  ])('is not free as %s', (name) => {
    expect(() => reserved.check(name)).toThrow(ERRORS.name_reserved.message);
  });

  test.each(['dicey', 'dic', 'ann dice', 'Łódź', 'Søren', 'Đorđe', 'Հայկ', 'Øystein', 'Pål'])(
    'leaves %s free',
    (name) => {
      expect(() => reserved.check(name)).not.toThrow();
    },
  );
});
