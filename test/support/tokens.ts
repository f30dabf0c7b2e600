import { randomBytes } from 'node:crypto';

import { decodeJwt, decodeProtectedHeader, SignJWT, type JWTPayload } from 'jose';

/** A key that a test server can be given, and the secret in it. */
export interface TestKey {
  /** As PARLANCE_TOKEN_KEYS takes it. */
  readonly setting: string;
  readonly secret: Uint8Array;
}

/** Makes a key to sign tokens with. */
export function makeKey(id: string): TestKey {
  const secret = randomBytes(32);
  return { setting: `${id}:${secret.toString('base64')}`, secret };
}

/** Signs a token once more, with other claims. */
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

/** Gives a token like this one whose time is over. */
export function expired(token: string, key: TestKey): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return signAgain(token, key, { iat: now - 120, exp: now - 60 });
}

/** Gives a token like this one that claims to need no signature. */
export function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ ...decodeProtectedHeader(token), alg: 'none' }));
  return `${header.toString('base64url')}.${token.split('.')[1] ?? ''}.`;
}

/** Gives a token like this one whose claims were changed without signing them again. */
export function altered(token: string): string {
  const [header = '', , signature = ''] = token.split('.');
  const claims = Buffer.from(JSON.stringify({ ...decodeJwt(token), name: 'mallory' }));
  return `${header}.${claims.toString('base64url')}.${signature}`;
}
