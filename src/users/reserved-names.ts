import { Injectable } from '@nestjs/common';

import { ProtocolError } from '../protocol/errors.js';

// Letters of other scripts, and digits, that are taken for a Latin letter at a glance.
const LOOK_ALIKES = new Map(
  Object.entries({
    ...{ а: 'a', α: 'a', ɑ: 'a', в: 'b', с: 'c', ϲ: 'c', ԁ: 'd', е: 'e', ε: 'e', є: 'e' },
    ...{ ɡ: 'g', һ: 'h', н: 'h', і: 'i', ι: 'i', ı: 'i', '1': 'i', l: 'i', '|': 'i', ӏ: 'i' },
    ...{ ј: 'j', к: 'k', κ: 'k', м: 'm', μ: 'm', п: 'n', η: 'n', о: 'o', ο: 'o', '0': 'o' },
    ...{ σ: 'o', р: 'p', ρ: 'p', ԛ: 'q', г: 'r', ѕ: 's', т: 't', τ: 't', υ: 'u', ʋ: 'u' },
    ...{ ѵ: 'v', ν: 'v', ԝ: 'w', ω: 'w', х: 'x', χ: 'x', у: 'y', γ: 'y', ү: 'y', ʏ: 'y' },
  }),
);

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
