import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../../tools/import-graph.js';
import { freePorts } from '../support/free-port.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { UnprivilegedProgram } from '../support/unprivileged-program.js';
import { hasOpenssl, makeCertificate } from './certificate.js';
import type { ProxiedSites } from './proxied-sites.js';

const PROGRAM = '/usr/bin/caddy';
const EXAMPLES = join(ROOT, 'examples', 'caddy');
/** Global options, which must come first in the Caddyfile. */
const OPTIONS = `{
	admin off
	auto_https disable_redirects
	default_bind 127.0.0.1
}
`;

/** Common configurations, each with one mistake. */
const PASTED = {
  changedHost: 'reverse_proxy 127.0.0.1:3000 {\n header_up Host {upstream_hostport}\n }',
  unstripped: 'handle /team/chat/* {\n reverse_proxy 127.0.0.1:3000\n }',
};

/** URLs of the Caddy examples and of the mistaken configurations. */
export interface CaddySites extends ProxiedSites {
  readonly pasted: Readonly<Record<keyof typeof PASTED, string>>;
}

/** Whether Caddy is installed. */
export const hasCaddy = existsSync(PROGRAM) && hasOpenssl;

/** Starts Caddy with the examples; replaces only addresses and certificates. */
export async function startCaddy(parlancePort: number): Promise<CaddySites> {
  const folder = await makeScratchFolder();
  const ports = await freePorts(5);
  const [root = '', subPath = '', tls = '', changedHost = '', unstripped = ''] = ports.map(
    (port) => `127.0.0.1:${String(port)}`,
  );
  const { certFile, keyFile, text } = makeCertificate(folder);
  const files = ['root', 'sub-path', 'tls'].map((name) =>
    readFile(join(EXAMPLES, `${name}.Caddyfile`), 'utf8'),
  );
  const pasted = [
    `http://${changedHost} {\n ${PASTED.changedHost}\n}`,
    `http://${unstripped} {\n ${PASTED.unstripped}\n}`,
  ];
  const config = [OPTIONS, ...(await Promise.all(files)), ...pasted]
    .join('\n')
    .replace('\nhttp://chat.example.org {', `\nhttp://${root} {`)
    .replace('\nhttp://www.example.org {', `\nhttp://${subPath} {`)
    .replace('\nhttps://chat.example.org {', `\nhttps://${tls} {`)
    .replace('/etc/ssl/certs/chat.example.org.pem', certFile)
    .replace('/etc/ssl/private/chat.example.org.key', keyFile)
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${String(parlancePort)}`);
  await writeFile(join(folder, 'Caddyfile'), config);
  const program = await UnprivilegedProgram.start([PROGRAM, 'run'], folder, ports);
  return {
    root: `http://${root}`,
    subPath: `http://${subPath}/team/chat`,
    tls: `https://${tls}`,
    certificate: text,
    pasted: { changedHost: `http://${changedHost}`, unstripped: `http://${unstripped}` },
    stop: () => program.stop(),
  };
}
