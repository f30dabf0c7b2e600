import { existsSync } from 'node:fs';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../../tools/import-graph.js';
import { freePorts } from '../support/free-port.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { UnprivilegedProgram } from '../support/unprivileged-program.js';
import { hasOpenssl, makeCertificate } from './certificate.js';
import type { ProxiedSites } from './proxied-sites.js';

const PROGRAM = '/usr/sbin/nginx';
const EXAMPLES = join(ROOT, 'examples', 'nginx');
/** Replaces Debian's nginx.conf, which uses system folders. */
const MAIN = `
  daemon off;
  pid nginx.pid;
  error_log stderr warn;
  worker_processes 1;
  events {}
  http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include conf.d/*.conf;
    include sites/*.conf;
  }
`;
/** Common locations, each with one mistake. */
const PASTED = {
  withoutHost: `location / {
    proxy_pass http://parlance;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
  }`,
  hostWithoutPort: `location / {
    proxy_pass http://parlance;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $host;
  }`,
  withoutUpgrade: `location / {
    proxy_pass http://parlance;
    proxy_set_header Host $http_host;
  }`,
  unstripped: `location /team/chat/ {
    proxy_pass http://parlance;
    include snippets/parlance.conf;
  }`,
};

/** Common configurations, each with one mistake. */
export type Pasted = keyof typeof PASTED;

/** Whether nginx is installed. */
export const hasNginx = existsSync(PROGRAM) && hasOpenssl;

/** URLs of the nginx examples and of the mistaken configurations. */
export interface NginxSites extends ProxiedSites {
  readonly pasted: Readonly<Record<Pasted, string>>;
  /** URL of the server that redirects from HTTP to `tls`. */
  readonly plain: string;
}

/** Starts nginx with the examples; replaces only ports and certificates. */
export async function startNginx(parlancePort: number): Promise<NginxSites> {
  const folder = await makeScratchFolder();
  const [root = 0, subPath = 0, tls = 0, plain = 0, ...others] = await freePorts(8);
  const { certFile, keyFile, text } = makeCertificate(folder);
  await cp(EXAMPLES, folder, { recursive: true });
  const sites: Record<string, readonly number[]> = {
    'root.conf': [root],
    'sub-path.conf': [subPath],
    'tls.conf': [plain, tls],
  };
  expect(await readdir(join(folder, 'sites'))).toEqual(Object.keys(sites));
  for (const [file, [http, https]] of Object.entries(sites)) {
    await replace(join(folder, 'sites', file), [
      ['listen 80;', `listen 127.0.0.1:${String(http)};`],
      ['listen 443 ssl;', `listen 127.0.0.1:${String(https)} ssl;`],
      // The machine may lack IPv6.
      ['listen [::]:80;', ''],
      ['listen [::]:443 ssl;', ''],
      ['/etc/ssl/certs/chat.example.org.pem', certFile],
      ['/etc/ssl/private/chat.example.org.key', keyFile],
    ]);
  }
  await replace(join(folder, 'conf.d', 'parlance.conf'), [
    ['127.0.0.1:3000', `127.0.0.1:${String(parlancePort)}`],
  ]);
  const pasted = Object.values(PASTED).map(
    (location, i) => `server { listen 127.0.0.1:${String(others[i])}; ${location} }\n`,
  );
  await writeFile(join(folder, 'sites', 'pasted.conf'), pasted.join(''));
  await writeFile(join(folder, 'nginx.conf'), MAIN);
  const program = await UnprivilegedProgram.start(
    [PROGRAM, '-p', folder, '-c', 'nginx.conf', '-e', 'stderr'],
    folder,
    [root, subPath, tls, plain, ...others],
  );
  return {
    root: urlOf(root),
    subPath: `${urlOf(subPath)}/team/chat`,
    tls: urlOf(tls).replace('http', 'https'),
    plain: urlOf(plain),
    certificate: text,
    pasted: Object.fromEntries(
      Object.keys(PASTED).map((name, i) => [name, urlOf(others[i] ?? 0)]),
    ) as Record<Pasted, string>,
    stop: () => program.stop(),
  };
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${String(port)}`;
}

async function replace(path: string, pairs: readonly (readonly [string, string])[]): Promise<void> {
  let text = await readFile(path, 'utf8');
  for (const [from, to] of pairs) text = text.replaceAll(from, to);
  await writeFile(path, text);
}
