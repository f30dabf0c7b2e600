import { readFileSync } from 'node:fs';

import { Logger } from '@nestjs/common';

const SETTING = 'PARLANCE_PAGES_CSP';
/** Larger pages are not checked. */
const MAX_PAGE_BYTES = 1_048_576;
const TAG = /<(script|link|img)\b[^>]*>/gi;
const COMMENT = /<!--[\s\S]*?-->/g;
const ADDRESS = /\s(?:src|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;
const STYLESHEET = /\srel\s*=\s*["']?[^"'>]*\bstylesheet\b/i;
/** Directives that apply to a tag; most style sheets load fonts too. */
const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {
  script: ['script-src'],
  link: ['style-src', 'font-src'],
  img: ['img-src'],
};

/** Hosts from which a page loads resources, by directive. */
type Sources = Map<string, Set<string>>;

/** Warns, once per policy to set, when a page of the operator loads from hosts that its policy forbids. */
export class ExternalSources {
  private readonly logger = new Logger('Pages');
  private readonly checked = new Set<string>();
  private readonly advised = new Set<string>();

  constructor(private readonly policy: string) {}

  /** Checks a page the first time it is served. */
  check(path: string, size: number): void {
    if (!/\.html?$/i.test(path) || size > MAX_PAGE_BYTES || this.checked.has(path)) return;
    this.checked.add(path);
    try {
      this.warn(path, readFileSync(path, 'utf8'));
    } catch (err) {
      // The page is served anyway; only the warning is missing.
      this.logger.debug({ msg: `Cannot read ${path} to check its Content-Security-Policy`, err });
    }
  }

  private warn(path: string, html: string): void {
    const advice = policyFor(this.policy, html);
    if (advice === null || this.advised.has(advice.policy)) return;
    this.advised.add(advice.policy);
    this.logger.warn(
      `${path} loads from ${advice.hosts.join(', ')}, which its Content-Security-Policy forbids. ` +
        `Set ${SETTING} to: ${advice.policy}`,
    );
  }
}

/** Returns a policy that allows a page, with the hosts it adds; null if the policy allows it already. */
export function policyFor(
  policy: string,
  html: string,
): { policy: string; hosts: string[] } | null {
  const directives = new Map(
    policy.split(';').map((part) => {
      const [name = '', ...sources] = part.trim().split(/\s+/);
      return [name.toLowerCase(), sources] as const;
    }),
  );
  const added = new Set<string>();
  for (const [directive, hosts] of externalHostsIn(html)) {
    const sources = directives.get(directive) ?? directives.get('default-src');
    const missing = [...hosts].filter(
      (host) => sources?.some((one) => allows(one, host)) === false,
    );
    if (sources === undefined || missing.length === 0) continue;
    directives.set(directive, [...sources.filter((one) => one !== "'none'"), ...missing]);
    for (const host of missing) added.add(host);
  }
  if (added.size === 0) return null;
  const parts = [...directives].filter(([name]) => name !== '');
  const written = parts.map(([name, sources]) => [name, ...sources].join(' ')).join('; ');
  return { policy: written, hosts: [...added] };
}

function externalHostsIn(html: string): Sources {
  const found: Sources = new Map();
  for (const [tag, name = ''] of html.replace(COMMENT, '').matchAll(TAG)) {
    const host = hostOf(addressIn(tag));
    if (host === null || (/^link$/i.test(name) && !STYLESHEET.test(tag))) continue;
    for (const directive of DIRECTIVES[name.toLowerCase()] ?? []) {
      found.set(directive, (found.get(directive) ?? new Set()).add(host));
    }
  }
  return found;
}

function addressIn(tag: string): string {
  const found = ADDRESS.exec(tag);
  return found === null ? '' : found.slice(1).join('');
}

/** Returns the host and port of an absolute URL; null for a relative one. */
function hostOf(address: string): string | null {
  if (!/^\s*(https?:)?\/\//i.test(address) || !URL.canParse(address, 'http://localhost'))
    return null;
  return new URL(address, 'http://localhost').host;
}

function allows(source: string, host: string): boolean {
  const name = source
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '');
  if (name === '*' || name === 'https:' || name === host) return true;
  return name.startsWith('*.') && host.endsWith(name.slice(1));
}
