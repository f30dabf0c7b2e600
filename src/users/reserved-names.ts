import { Injectable } from '@nestjs/common';

import { ProtocolError } from '../protocol/errors.js';

// Letters of other scripts, and digits, that are taken for a Latin letter at a glance.
const FOREIGN = {
  ...{ а: 'a', α: 'a', ɑ: 'a', в: 'b', с: 'c', ϲ: 'c', ԁ: 'd', е: 'e', ε: 'e', є: 'e' },
  ...{ ɡ: 'g', һ: 'h', н: 'h', і: 'i', ι: 'i', ı: 'i', '1': 'i', l: 'i', '|': 'i', ӏ: 'i' },
  ...{ ј: 'j', к: 'k', κ: 'k', м: 'm', μ: 'm', п: 'n', η: 'n', о: 'o', ο: 'o', '0': 'o' },
  ...{ σ: 'o', р: 'p', ρ: 'p', ԛ: 'q', г: 'r', ѕ: 's', т: 't', τ: 't', υ: 'u', ʋ: 'u' },
  ...{ ѵ: 'v', ν: 'v', ԝ: 'w', ω: 'w', х: 'x', χ: 'x', у: 'y', γ: 'y', ү: 'y' },
  // Armenian
  ...{ ց: 'g', հ: 'h', ի: 'h', լ: 'i', յ: 'j', ո: 'n', ռ: 'n', օ: 'o', զ: 'q', ս: 'u', ա: 'w' },
  ...{ ք: 'p' },
};

// What Unicode does not take apart: a Latin letter with a stroke, a hook or the like.
const CHANGED = {
  ...{ ⱥ: 'a', ƀ: 'b', ɓ: 'b', ƃ: 'b', ȼ: 'c', ƈ: 'c', đ: 'd', ɗ: 'd', ɖ: 'd', ƌ: 'd', ȡ: 'd' },
  ...{ ɇ: 'e', ɛ: 'e', ƒ: 'f', ǥ: 'g', ɠ: 'g', ħ: 'h', ɦ: 'h', ⱨ: 'h', ɨ: 'i', ɩ: 'i' },
  ...{ ł: 'i', ƚ: 'i', ɫ: 'i', ɬ: 'i', ɭ: 'i', ⱡ: 'i', ȴ: 'i', ɉ: 'j', ȷ: 'j', ƙ: 'k', ⱪ: 'k' },
  ...{ ɱ: 'm', ɲ: 'n', ɳ: 'n', ƞ: 'n', ŋ: 'n', ȵ: 'n', ø: 'o', ɵ: 'o', ᵽ: 'p', ƥ: 'p', ꝑ: 'p' },
  ...{ ɋ: 'q', ɍ: 'r', ɽ: 'r', ɼ: 'r', ɾ: 'r', ʂ: 's', ȿ: 's', ŧ: 't', ƭ: 't', ʈ: 't', ƫ: 't' },
  ...{ ʉ: 'u', ⱱ: 'v', ⱳ: 'w', ɏ: 'y', ƴ: 'y', ƶ: 'z', ȥ: 'z', ʐ: 'z', ⱬ: 'z' },
};

const SMALL_CAPITALS = {
  ...{ ᴀ: 'a', ʙ: 'b', ᴄ: 'c', ᴅ: 'd', ᴆ: 'd', ᴇ: 'e', ꜰ: 'f', ɢ: 'g', ʜ: 'h', ɪ: 'i', ᴊ: 'j' },
  ...{ ᴋ: 'k', ʟ: 'i', ᴌ: 'i', ᴍ: 'm', ɴ: 'n', ᴏ: 'o', ᴘ: 'p', ꞯ: 'q', ʀ: 'r', ꜱ: 's', ᴛ: 't' },
  ...{ ᴜ: 'u', ᴠ: 'v', ᴡ: 'w', ʏ: 'y', ᴢ: 'z' },
};

const LOOK_ALIKES = new Map(Object.entries({ ...FOREIGN, ...CHANGED, ...SMALL_CAPITALS }));

/** Names that belong to bots: nobody else takes one of them, or one that looks like it (P-13.1). */
@Injectable()
export class ReservedNames {
  private readonly skeletons = new Set<string>();

  /** Keeps a name for a bot. */
  reserve(name: string): void {
    this.skeletons.add(skeleton(name));
  }

  /**
   * Refuses a name that belongs to a bot.
   *
   * @throws ProtocolError `name_reserved`
   */
  check(name: string): void {
    if (this.skeletons.has(skeleton(name))) throw new ProtocolError('name_reserved');
  }
}

/** What is left of a name at a glance: plain letters and digits, without marks and signs. */
function skeleton(name: string): string {
  const plain = name.normalize('NFKD').toLowerCase();
  const letters = Array.from(plain, (letter) => LOOK_ALIKES.get(letter) ?? letter).join('');
  return letters
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replace(/[^\p{L}\p{N}]/gu, '');
}
