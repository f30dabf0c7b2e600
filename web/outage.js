import { CommandError } from 'parlance-client';

/**
 * Returns what a person can do about a lost connection; empty if there is nothing to do but wait.
 *
 * `status` is that of the client, `failures` the number of attempts since the latest session.
 */
export function explainOutage({ code, reason, error }, failures) {
  if (error?.cause instanceof CommandError) return explainRefusal(error.cause);
  if (code === 4102) return explainTooMany(reason);
  // After other codes the client reconnects by itself: the network failed, or the server asks for it.
  if (Math.floor(code / 100) === 41) return `The server closed the connection: ${reason}.`;
  return error === undefined ? '' : explainFailure(error, reason, failures);
}

/** Explains why the server refused hello. */
function explainRefusal({ code, message }) {
  if (code === 'rate_limited') {
    return 'Too many new guests have connected from your network. This page connects when the server accepts more.';
  }
  if (code === 'too_many_connections') return explainTooMany(message);
  return `The server refused to start a session: ${message}`;
}

function explainTooMany(reason) {
  const what = 'The server refused this connection';
  const remedy =
    'Close other tabs or programs that use this chat. This page tries again automatically.';
  return `${what}: ${reason.replace(/\.$/, '')}. ${remedy}`;
}

/** Explains why there is no connection, based on the error of the client. */
function explainFailure({ code, cause }, reason, failures) {
  switch (code) {
    case 'origin_refused':
      return `The server does not accept connections from pages of ${location.origin}. Its operator can add this origin to PARLANCE_ORIGINS; a proxy must pass on the Host header.`;
    case 'wrong_address':
      return `There is no chat server at ${new URL('.', location.href).href}.`;
    case 'no_upgrade':
      // The server may have started between two requests; then the next attempt succeeds.
      if (failures < 2) return '';
      return 'The chat server answers over HTTP, but not over WebSocket. The proxy in front of it must pass on the Upgrade and Connection headers.';
    case 'no_welcome':
      if (reason === '') return '';
      return 'The server did not answer. A proxy or the login page of a network may block the connection.';
    case 'unreachable':
      // With a cause the network failed, which the status bar says already.
      return cause === undefined ? `${location.host} cannot reach the chat server.` : '';
    default:
      return '';
  }
}
