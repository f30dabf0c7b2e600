import type { Stats } from 'node:fs';
import { realpath } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import express, { Router, type RequestHandler } from 'express';
import helmet from 'helmet';

import type { Config } from '../config/config.js';
import type { Dialect } from '../dialects/dialect.js';
import { ExternalSources } from './external-sources.js';

const WEB = fileURLToPath(new URL('../../web/dist', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
/** Paths of APIs, whose clients expect JSON even for an unknown path. */
const API_PATH = /^\/(api|healthz|readyz)(\/|$)/;

/** Sets the security headers of the built-in pages. */
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
  // The first run uses plain HTTP on localhost; a proxy that terminates TLS sets this header.
  strictTransportSecurity: false,
});

const protectWithoutPolicy = helmet({
  contentSecurityPolicy: false,
  strictTransportSecurity: false,
});

/** Serves the built-in page, or the operator's folder of pages. */
export function pages({ pagesDir, pagesPolicy }: Config): RequestHandler {
  if (pagesDir === undefined) return staticFolder(WEB, protect);
  const sources = new ExternalSources(pagesPolicy);
  const protectByPolicy: typeof protect = (request, response, next) => {
    response.setHeader('Content-Security-Policy', pagesPolicy);
    protectWithoutPolicy(request, response, next);
  };
  return staticFolder(pagesDir, protectByPolicy, (path, { size }) => {
    sources.check(path, size);
  });
}

/** Serves the protocol document as plain text. */
export function protocolDocument(): RequestHandler {
  return Router().get('/', (request, response) => {
    protect(request, response, () => undefined);
    response.type('text/plain').sendFile('protocol.md', { root: DOCS });
  });
}

/** Serves the pages of the first dialect that has an answer; API paths are left alone. */
export function dialectPages(dialects: readonly Dialect[]): RequestHandler {
  return (request, response, next) => {
    const { method, path, baseUrl: root } = request;
    if (!API_PATH.test(path)) {
      for (const dialect of dialects) {
        const page = dialect.http?.({ method, path, root }) ?? null;
        if (page === null) continue;
        protect(request, response, () => undefined);
        response.status(page.status).type('html').send(page.html);
        return;
      }
    }
    next();
  };
}

/**
 * Serves the files of a folder, except those whose names begin with a dot.
 *
 * A symbolic link may point to another place in the folder, but not out of it.
 */
function staticFolder(
  folder: string,
  guard: typeof protect,
  onServe?: (path: string, stat: Stats) => void,
): RequestHandler {
  const setHeaders = (response: ServerResponse, path: string, stat: Stats): void => {
    guard(response.req, response, () => undefined);
    onServe?.(path, stat);
  };
  const serve = express.static(folder, { setHeaders, dotfiles: 'ignore' });
  return Router().use((request, response, next) => {
    isWithin(folder, request.path).then((within) => {
      if (within) serve(request, response, next);
      else next();
    }, next);
  });
}

/** Returns whether a path, and the index file that it may stand for, lie in the folder. */
async function isWithin(folder: string, path: string): Promise<boolean> {
  const name = decodePath(path);
  if (name === null) return true;
  const root = await realpath(folder);
  const targets = [join(folder, name), join(folder, name, 'index.html')];
  const found = await Promise.all(targets.map((target) => realpath(target).catch(() => null)));
  return found.every((real) => real === null || real === root || real.startsWith(root + sep));
}

/** Returns the decoded path; null for a malformed one, which `express.static` refuses. */
function decodePath(path: string): string | null {
  try {
    const name = decodeURIComponent(path);
    return name.includes('\0') ? null : resolve('/', name);
  } catch {
    return null;
  }
}
