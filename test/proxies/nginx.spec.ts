import { tryUpgrade } from '../support/raw-websocket.js';
import { expectAdvice, type BadSetup } from './log-advice.js';
import { hasNginx, startNginx, type Pasted } from './nginx.js';
import { worksThrough } from './through-proxy.js';

(hasNginx ? describe : describe.skip)('behind nginx (/usr/sbin/nginx, with openssl)', () => {
  const behind = worksThrough(startNginx);

  test('the TLS example redirects HTTP to HTTPS', async () => {
    const { status, headers } = await fetch(`${behind.sites.plain}/?room=a`, {
      redirect: 'manual',
    });

    expect([status, headers.get('location')]).toEqual([301, 'https://127.0.0.1/?room=a']);
  });

  test('the server may have any name; only its own pages may connect', async () => {
    const url = `${behind.sites.root}/ws`;
    const host = 'chat.example.org';
    const own = { host, origin: `http://${host}` };

    expect((await tryUpgrade(url, own)).status).toBe(101);
    expect((await tryUpgrade(url, { host, origin: 'http://evil.example' })).status).toBe(403);
  });

  const origin = 'A page of this origin may not connect (403)';
  const unowned = 'A client requested an unknown path (404)';

  test.each<[Pasted, BadSetup]>([
    ['withoutHost', { path: '/ws', status: 403, msg: origin, advice: 'pass on Host;' }],
    ['hostWithoutPort', { path: '/ws', status: 403, msg: origin, advice: '($http_host in nginx)' }],
    [
      'withoutUpgrade',
      { path: '/ws', status: 426, msg: 'no Upgrade header', advice: 'Upgrade and Connection.' },
    ],
    [
      'unstripped',
      {
        path: '/team/chat/ws',
        status: 404,
        msg: unowned,
        advice: 'configure it to remove that path.',
      },
    ],
  ])('the log explains a location %s', async (pasted, expected) => {
    await expectAdvice(behind.sites.pasted[pasted], expected);
  });
});
