import { Router, type RequestHandler } from 'express';

import { ProtocolError } from '../protocol/errors.js';
import type { OriginPolicy } from '../transports/origin-policy.js';
import { answerError } from './answer-error.js';
import type { FileRequests } from './file-requests.js';

/** Returns the routes of files; answers other requests with `not_found` (P-14). */
export function filesRouter(files: FileRequests, origins: OriginPolicy): Router {
  const router = Router();
  router.use(checkOrigin(origins));
  router.options(['/', '/:id', '/:id/preview'], (_request, response) => files.preflight(response));
  router.post('/', async (request, response) => {
    response.status(201).json(await files.upload(request, response));
  });
  router.get('/:id', (request, response) => files.read(request, response, request.params.id));
  router.get('/:id/preview', (request, response) =>
    files.readPreview(request, response, request.params.id),
  );
  router.use(() => {
    throw new ProtocolError('not_found', { message: 'There is nothing at this address.' });
  });
  router.use(answerError);
  return router;
}

/** Returns a handler that refuses pages whose origins are not allowed (P-14.2). */
function checkOrigin(origins: OriginPolicy): RequestHandler {
  return (request, response, next) => {
    response.vary('Origin');
    if (!origins.allows(request)) {
      throw new ProtocolError('forbidden', { message: 'Pages of this origin may not connect.' });
    }
    const { origin } = request.headers;
    if (origin !== undefined) {
      response.set({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Expose-Headers': 'Content-Disposition, Content-Range, ETag, Retry-After',
      });
    }
    next();
  };
}
