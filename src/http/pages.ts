import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';

import express, { type RequestHandler } from 'express';

import type { Config } from '../config/config.js';
import { protect, protectWith } from './protection.js';

const WEB = fileURLToPath(new URL('../../web', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

/** Serves the page, or a folder of the operator, at `/` and the protocol at `/docs/protocol.md`. */
export function pages({ pagesDir, pagesPolicy }: Config): RequestHandler[] {
  return [
    pagesDir === undefined ? files(WEB, protect) : files(pagesDir, protectWith(pagesPolicy)),
    (request, response, next) => {
      if (request.path !== '/docs/protocol.md') {
        next();
        return;
      }
      protect(request, response, () => undefined);
      response.type('text/plain').sendFile('protocol.md', { root: DOCS });
    },
  ];
}

/** Serves the files of a folder, without those whose names begin with a dot. */
function files(folder: string, guard: typeof protect): RequestHandler {
  // Only files of ours: the routes of an embedding app have headers of their own.
  const setHeaders = (response: ServerResponse): void => {
    guard(response.req, response, () => undefined);
  };
  return express.static(folder, { setHeaders, dotfiles: 'ignore' });
}
