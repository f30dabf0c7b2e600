import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';

import express, { type RequestHandler } from 'express';
import helmet from 'helmet';

const WEB = fileURLToPath(new URL('../../web', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

const protect = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  // Plain HTTP on localhost is the first run; a proxy that ends TLS sets this header.
  strictTransportSecurity: false,
});

/** Serves the page at `/` and the protocol at `/docs/protocol.md`, under a strict policy. */
export function pages(): RequestHandler[] {
  // Only files of ours: the routes of an embedding app have headers of their own.
  const setHeaders = (response: ServerResponse): void => {
    protect(response.req, response, () => undefined);
  };
  return [
    express.static(WEB, { setHeaders }),
    (request, response, next) => {
      if (request.path !== '/docs/protocol.md') {
        next();
        return;
      }
      setHeaders(response);
      response.type('text/plain').sendFile('protocol.md', { root: DOCS });
    },
  ];
}
