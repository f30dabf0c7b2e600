const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'ws:', 'wss:']);
/** The address may end with the path of plain WebSocket (P-10.2). */
const WEBSOCKET_PATH = /\/ws\/?$/;

/** The address of a server, and those of its WebSocket, Socket.IO and files (P-10.2, P-14.1). */
export class ServerAddress {
  /** Address over HTTP, with a slash at the end. */
  private readonly base: URL;

  /**
   * Accepts `ws`, `wss`, `http` and `https`, with or without a path and a trailing slash.
   *
   * In a page the address may be relative.
   *
   * @throws TypeError if the address is not valid
   */
  constructor(address: string) {
    const url = parse(address);
    if (!SCHEMES.has(url.protocol)) {
      throw new TypeError(`url must begin with ws://, wss://, http:// or https://: ${address}`);
    }
    if (url.search !== '' || url.hash !== '') {
      throw new TypeError(
        `url must have no query and no fragment; pass the name as hello: { name }: ${address}`,
      );
    }
    if (url.username !== '' || url.password !== '') {
      throw new TypeError('url must have no user name and no password; pass a token instead');
    }
    url.protocol = url.protocol.replace('ws', 'http');
    url.pathname = `${url.pathname.replace(WEBSOCKET_PATH, '').replace(/\/+$/, '')}/`;
    this.base = url;
  }

  /** Scheme, host and port, for Socket.IO. */
  get origin(): string {
    return this.base.origin;
  }

  /** Path of Socket.IO (P-10.3). */
  get socketIoPath(): string {
    return new URL('socket.io/', this.base).pathname;
  }

  /** Address of plain WebSocket (P-10.2). */
  get webSocketUrl(): string {
    const url = new URL('ws', this.base);
    url.protocol = url.protocol.replace('http', 'ws');
    return url.href;
  }

  /** Returns the address of something that is served over HTTP. */
  http(path: string): URL {
    return new URL(path, this.base);
  }

  /**
   * Returns the address of a file by its `url`, which does not contain the path of the server.
   *
   * @throws TypeError if it is on another host; the token is not sent there
   */
  file(path: string): URL {
    const url = this.http(path.replace(/^\/+/, ''));
    if (url.origin === this.base.origin) return url;
    throw new TypeError(`The file is not on this server: ${path}`);
  }

  toString(): string {
    return this.base.href;
  }
}

function parse(address: string): URL {
  const { location } = globalThis as { location?: { href: string } };
  try {
    return new URL(address, location?.href);
  } catch {
    throw new TypeError(`url must be an address such as wss://chat.example.org: ${address}`);
  }
}
