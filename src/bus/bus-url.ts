/** Returns scheme, host and port of a URL, without credentials, path and parameters. */
export function addressOf({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

/** A shorter text would also be found in words of a message. */
const MIN_SECRET = 4;

/** Returns the credentials in a URL, as they are written and as they are meant. */
export function secretsOf({ username, password }: URL): string[] {
  const written = [username, password].filter(({ length }) => length >= MIN_SECRET);
  return [...new Set([...written, ...written.map(decodeURIComponent)])];
}
