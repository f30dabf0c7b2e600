import { Injectable } from '@nestjs/common';

import { ProtocolError } from '../protocol/errors.js';
import { CONFUSABLES } from './confusables.js';

// Letters that look like a Latin letter, but that Unicode does not list as confusable.
const OTHERS: readonly (readonly [target: string, letters: string])[] = [
  ['a', 'ⱥᴀ'],
  ['b', 'ʙ'],
  ['d', 'ȡᴅᴆ'],
  ['e', 'єɛᴇ'],
  ['f', 'ꜰ'],
  ['g', 'ɢ'],
  ['h', 'իʜ'],
  ['i', 'lլɬⱡȴʟᴌ'],
  ['j', 'յȷᴊ'],
  ['k', 'ᴋ'],
  ['m', 'ᴍ'],
  ['n', 'пȵɴ'],
  ['p', 'ꝑᴘ'],
  ['q', 'ɋꞯ'],
  ['r', 'ɾ'],
  ['s', 'ȿ'],
  ['t', 'ƫᴛ'],
  ['v', 'ⱱ'],
  ['w', 'ωⱳ'],
  ['z', 'ⱬ'],
];

const LOOK_ALIKES = new Map(
  [...OTHERS, ...CONFUSABLES].flatMap(([target, letters]) =>
    Array.from(letters, (letter) => [letter, target] as const),
  ),
);

/** Names of bots, which are reserved, together with names that look like them (P-13.1). */
@Injectable()
export class ReservedNames {
  private readonly skeletons = new Set<string>();

  /** Reserves a name for a bot. */
  reserve(name: string): void {
    this.skeletons.add(skeleton(name));
  }

  /**
   * Throws if a name belongs to a bot, or looks like one that does.
   *
   * @throws ProtocolError `name_reserved`
   */
  check(name: string): void {
    if (this.has(name)) throw new ProtocolError('name_reserved');
  }

  /** Returns whether a name belongs to a bot, or looks like one that does. */
  has(name: string): boolean {
    return this.skeletons.has(skeleton(name));
  }
}

/** Returns a name in plain letters and digits, equal for names that look alike. */
function skeleton(name: string): string {
  const plain = name.normalize('NFKD').toLowerCase();
  const letters = Array.from(plain, (letter) => LOOK_ALIKES.get(letter) ?? letter).join('');
  return letters
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replace(/[^\p{L}\p{N}]/gu, '');
}
