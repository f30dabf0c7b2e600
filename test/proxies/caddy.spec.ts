import { hasCaddy, startCaddy } from './caddy.js';
import { expectAdvice } from './log-advice.js';
import { worksThrough } from './through-proxy.js';

(hasCaddy ? describe : describe.skip)('behind Caddy (/usr/bin/caddy, with openssl)', () => {
  const behind = worksThrough(startCaddy);

  test('the log explains a site that changes Host', async () => {
    await expectAdvice(behind.sites.pasted.changedHost, {
      path: '/ws',
      status: 403,
      msg: 'A page of this origin may not connect (403)',
      advice: 'If a proxy passes on Host without the port',
    });
  });

  test('the log explains handle instead of handle_path', async () => {
    await expectAdvice(behind.sites.pasted.unstripped, {
      path: '/team/chat/ws',
      status: 404,
      msg: 'A client requested an unknown path (404)',
      advice: 'configure it to remove that path.',
    });
  });
});
