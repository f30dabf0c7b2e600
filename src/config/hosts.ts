/** Characters that would make a URL read a host as more than a host and a port. */
const NO_HOST = /[\s/?#@\\,%]/;
/** Origins with schemes other than HTTP, such as `capacitor://localhost`; `URL` reports `null`. */
const OTHER_SCHEME = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\,]+$/;

/** A normalized host: in lower case, without default port and final dot. */
export interface Host {
  /** Name or address; an IPv6 address is in brackets. */
  readonly name: string;
  /** Name and port, as in an origin. */
  readonly nameAndPort: string;
}

/** Parses a `Host` header, or the host of a URL; returns null if it is invalid. */
export function parseHost(text: string): Host | null {
  const url = `http://${text}`;
  if (NO_HOST.test(text) || !URL.canParse(url)) return null;
  const { hostname, port } = new URL(url);
  const name = hostname.replace(/\.$/, '');
  // A proxy that terminates TLS forwards the port :443, or :80 if another proxy precedes it.
  const isDefault = port === '' || port === '443';
  return { name, nameAndPort: isDefault ? name : `${name}:${port}` };
}

/** Returns whether a text is an origin in the form that browsers send. */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin } = new URL(text);
  return origin === 'null' ? OTHER_SCHEME.test(text) : origin === text;
}
