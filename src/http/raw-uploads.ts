import type { RequestHandler } from 'express';

/** As Express finds routes: in whatever case. */
const UPLOADS = /\/api\/files\/?$/i;

/**
 * Keeps the parsers of an app from the bodies of uploads, whatever those say that they are.
 *
 * It has to be in use before Nest's own parsers, which take JSON and forms into memory.
 */
export const rawUploads: RequestHandler = (request, _response, next) => {
  if (request.method === 'POST' && UPLOADS.test(request.path)) {
    request.headers['content-type'] = 'application/octet-stream';
  }
  next();
};
