import { RE2JS } from 're2js';

import type { TextPattern } from '../../kit/bot-definition.js';

/** A pattern that matches in time proportional to the length of the text. */
export class LinearPattern implements TextPattern {
  readonly source: string;
  readonly global = false;
  readonly sticky = false;
  private readonly compiled: RE2JS;

  /**
   * Compiles a pattern.
   *
   * @throws Error for a pattern that cannot be matched in linear time, such as one with `(?=`
   */
  constructor(pattern: RegExp) {
    if (pattern.unicodeSets) throw new Error('the flag v is not supported');
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
    // The shape that `RegExp` returns; its type claims that every group matched.
    return Object.assign(found, more, {
      groups: named.length === 0 ? undefined : groups,
    }) as unknown as RegExpExecArray;
  }
}
