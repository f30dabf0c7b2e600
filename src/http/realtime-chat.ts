import type { RequestHandler } from 'express';

import { protect } from './protection.js';

/** Where programs ask, which expect JSON whatever happens. */
const FOR_PROGRAMS = /^\/(api|healthz|readyz)(\/|$)/;

const NOT_FOUND = `<!doctype html>
<html lang="en">
  <title>Not found</title>
  <h1>Not found</h1>
  <p>There is nothing at this address. <a href="/">To the chat</a></p>
</html>
`;

/** Answers over HTTP as the program "realtime-chat" did, where nothing else does. */
export const answerAsRealtimeChat: RequestHandler = (request, response, next) => {
  if (FOR_PROGRAMS.test(request.path)) {
    next();
    return;
  }
  protect(request, response, () => undefined);
  response.type('html');
  if (request.path === '/hello') response.send('Hello World');
  else response.status(404).send(NOT_FOUND);
};
