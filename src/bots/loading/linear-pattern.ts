import { RE2JS } from 're2js';

import type { TextPattern } from '../runtime/bot-manifest.js';

/** A pattern that takes time in proportion to the text, whatever the text is. */
export class LinearPattern implements TextPattern {
  readonly source: string;
  readonly global = false;
  readonly sticky = false;
  private readonly compiled: RE2JS;

  /**
   * Takes over a pattern.
   *
   * @throws Error for one that cannot be found in linear time, such as one with `(?=`
   */
  constructor(pattern: RegExp) {
    if (pattern.unicodeSets) throw new Error('the flag v is not known here');
    this.source = pattern.source;
    this.compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  }

  exec(text: string): RegExpExecArray | null {
    const matcher = this.compiled.matcher(text);
    if (!matcher.find()) return null;
    const count = matcher.groupCount() + 1;
    const found = Array.from({ length: count }, (_, group) => matcher.group(group) ?? undefined);
    const named = Object.entries(matcher.getNamedGroups());
    const groups = Object.fromEntries(named.map(([name, value]) => [name, value ?? undefined]));
    const more = { index: matcher.start(), input: text };
    // As `RegExp` has it; its type claims that every group was found.
    return Object.assign(found, more, {
      groups: named.length === 0 ? undefined : groups,
    }) as unknown as RegExpExecArray;
  }
}
