import { randomBytes } from 'node:crypto';

import { decodeJwt, decodeProtectedHeader, SignJWT, type JWTPayload } from 'jose';

/** A key for the tokens of a test server. */
export interface TestKey {
  /** The value for PARLANCE_TOKEN_KEYS. */
  readonly setting: string;
  readonly secret: Uint8Array;
}

/** Creates a key that signs tokens. */
export function makeKey(id: string): TestKey {
  const secret = randomBytes(32);
  return { setting: `${id}:${secret.toString('base64')}`, secret };
}

/** Returns a token with changed claims, signed again. */
export async function signAgain(
  token: string,
  { secret }: TestKey,
  changes: JWTPayload,
): Promise<string> {
  const header = decodeProtectedHeader(token);
  return new SignJWT({ ...decodeJwt(token), ...changes })
    .setProtectedHeader({ ...header, alg: 'HS256' })
    .sign(secret);
}

/** Returns a copy of a token that has expired. */
export function expired(token: string, key: TestKey): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return signAgain(token, key, { iat: now - 120, exp: now - 60 });
}

/** Returns a copy of a token with the algorithm `none` and no signature. */
export function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ ...decodeProtectedHeader(token), alg: 'none' }));
  return `${header.toString('base64url')}.${token.split('.')[1] ?? ''}.`;
}

/** Returns a copy of a token with changed claims and the old signature. */
export function altered(token: string): string {
  const [header = '', , signature = ''] = token.split('.');
  const claims = Buffer.from(JSON.stringify({ ...decodeJwt(token), name: 'mallory' }));
  return `${header}.${claims.toString('base64url')}.${signature}`;
}
