import { ERRORS } from '#src/protocol/errors.js';

import { ConnectionError, type ConnectionErrorCode } from './connection-error.js';
import type { ServerAddress } from './server-address.js';

/** Time limit in milliseconds of the requests that find the reason. */
const PROBE_MS = 3_000;
/** Without a token, the server answers with an error of the protocol (P-14.2). */
const PROBE_PATH = 'api/files/0';
/** Answers 403 to a page of another origin (P-14.2). */
const UPLOAD_PATH = 'api/files';
/** The server answers with an error; a page may request it although it cannot read the answer. */
const BLIND_PROBE_PATH = 'socket.io/?transport=none';
const NOT_FOUND: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA']);
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)|EPROTO/;
/** Statuses of a proxy that cannot reach the server. */
const GATEWAY: ReadonlySet<number> = new Set([502, 503, 504]);
const REFUSED_ORIGIN = 403;

/** The details of a failed attempt that WebSocket in Node.js or socket.io-client may provide. */
interface Failure {
  readonly message?: string;
  /** Status of a polling request, or the error of the WebSocket. */
  readonly description?: unknown;
}

/**
 * Finds out why a connection could not be opened, and what to do about it.
 *
 * A WebSocket in a browser does not say why. So this sends an HTTP request to which a Parlance
 * server has a known answer.
 */
export async function explainFailure(
  address: ServerAddress,
  failure: unknown,
): Promise<ConnectionError> {
  if (statusOf(failure) === REFUSED_ORIGIN) return originRefused(address, failure);
  const signal = AbortSignal.timeout(PROBE_MS);
  try {
    const options = { redirect: 'manual', signal } as const;
    const response = await fetch(address.http(PROBE_PATH), options);
    return await explainAnswer(address, response, signal);
  } catch (error) {
    if (await answersBlindly(address, signal)) return originRefused(address, error);
    return explainSilence(address, error);
  }
}

/** Returns whether the body of an HTTP response is an error of the protocol (P-14.2). */
export function isProtocolError(body: unknown): body is { error: { code: keyof typeof ERRORS } } {
  const { error } = (body ?? {}) as { error?: { code?: unknown } };
  return typeof error?.code === 'string' && error.code in ERRORS;
}

/** Explains an HTTP response that does not come from a Parlance server. */
export function explainStatus(address: ServerAddress, response: Response): ConnectionError {
  const { status, type } = response;
  const answer = `${address.toString()} answers HTTP ${String(status)}`;
  if (GATEWAY.has(status)) {
    return failed(
      'unreachable',
      `${answer}: the proxy cannot reach the server. Start the server, or correct its address in the proxy.`,
    );
  }
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    const target = response.headers.get('location');
    const where = target === null ? '' : ` to ${target}`;
    return failed(
      'wrong_address',
      `${address.toString()} redirects${where}. Set url to the final address.`,
    );
  }
  return failed(
    'wrong_address',
    `${answer}, which is not a response of a Parlance server. Check the path of url: it must be the address at which the server's page opens.`,
  );
}

async function explainAnswer(
  address: ServerAddress,
  response: Response,
  signal: AbortSignal,
): Promise<ConnectionError> {
  const body: unknown = await response.json().catch(() => null);
  if (!isProtocolError(body)) return explainStatus(address, response);
  if (body.error.code === 'forbidden' || (await refusesOrigin(address, signal))) {
    return originRefused(address);
  }
  return failed(
    'no_upgrade',
    `The server at ${address.toString()} answers over HTTP, but WebSocket connections fail. Let the proxy pass on the Upgrade, Connection and Host headers, or use transport: 'socket.io'.`,
  );
}

/** Asks with OPTIONS: browsers send no `Origin` header in a GET request to the host of the page. */
async function refusesOrigin(address: ServerAddress, signal: AbortSignal): Promise<boolean> {
  if (originOfPage() === undefined) return false;
  try {
    const { status } = await fetch(address.http(UPLOAD_PATH), { method: 'OPTIONS', signal });
    return status === REFUSED_ORIGIN;
  } catch {
    return false;
  }
}

/** Sends a request whose response the page cannot read; browsers allow that for every host. */
async function answersBlindly(address: ServerAddress, signal: AbortSignal): Promise<boolean> {
  if (originOfPage() === undefined) return false;
  try {
    await fetch(address.http(BLIND_PROBE_PATH), { mode: 'no-cors', signal });
    return true;
  } catch {
    return false;
  }
}

function explainSilence(address: ServerAddress, cause: unknown): ConnectionError {
  const code = codeOf(cause);
  const { host, hostname } = address.http('');
  if (NOT_FOUND.has(code)) {
    const message = `The host ${hostname} was not found (${code}). Check the spelling of url, and the network.`;
    return failed('host_not_found', message, cause);
  }
  if (TLS.test(code)) {
    const message = `The TLS connection to ${host} failed (${code}). Check its certificate, or use ws:// if it has none.`;
    return failed('tls_failed', message, cause);
  }
  if (code.startsWith('HPE_')) {
    return failed(
      'wrong_address',
      `The server at ${host} does not speak HTTP. Check the port.`,
      cause,
    );
  }
  const known = code === '' ? '' : ` (${code})`;
  const message = `Nothing answers at ${host}${known}. Check the port and the network, and that the server is running.`;
  return failed('unreachable', message, cause);
}

function originRefused(address: ServerAddress, cause?: unknown): ConnectionError {
  const page = originOfPage() ?? 'this origin';
  const message = `${address.origin} does not accept connections from ${page}. Add the origin to PARLANCE_ORIGINS of the server, and check url; a proxy must pass on the Host header.`;
  return failed('origin_refused', message, cause);
}

function originOfPage(): string | undefined {
  return (globalThis as { location?: { origin: string } }).location?.origin;
}

/** Returns the HTTP status of the attempt, if the transport provides it. */
function statusOf(failure: unknown): number | undefined {
  const { message = '', description } = (failure ?? {}) as Failure;
  if (typeof description === 'number') return description;
  const text = description === undefined ? message : ((description as Failure).message ?? '');
  const [, status] = /server response: (\d{3})/.exec(text) ?? [];
  return status === undefined ? undefined : Number(status);
}

/** Returns the code of the system or parser error that caused the error of `fetch`. */
function codeOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return typeof code === 'string' ? code : cause === undefined ? '' : codeOf(cause);
}

function failed(code: ConnectionErrorCode, message: string, cause?: unknown): ConnectionError {
  return new ConnectionError(code, message, { cause });
}
