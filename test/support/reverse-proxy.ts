import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** Answers a request in place of the server; returns false to pass it on. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Options of an HTTP proxy in front of a server. */
export interface ProxyOptions {
  /** Paths below which the proxy serves the server, such as `/team/chat`; it removes them. */
  readonly folders?: readonly string[];
  /** Passes on `Host` unchanged. Default: true. */
  readonly keepsHost?: boolean;
  /** Passes on `Upgrade` and `Connection`. Default: true. */
  readonly upgrades?: boolean;
  /** Headers that the proxy adds. */
  readonly adds?: IncomingHttpHeaders;
  readonly answer?: Answer;
}

/** An HTTP proxy in front of a server, configured correctly or not. */
export class ReverseProxy {
  private readonly server: Server;
  private readonly target: URL;
  private readonly sockets = new Set<Duplex>();

  private constructor(
    target: string,
    private readonly options: ProxyOptions,
  ) {
    this.target = new URL(target);
    this.server = createServer((incoming, answer) => this.pass(incoming, answer));
    if (options.upgrades !== false) {
      this.server.on('upgrade', (...connection) => this.upgrade(...connection));
    }
  }

  /** Starts a proxy in front of the server at a URL. */
  static async start(target: string, options: ProxyOptions = {}): Promise<ReverseProxy> {
    const proxy = new ReverseProxy(target, options);
    await new Promise<void>((listening) => proxy.server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  /** `127.0.0.1:port`. */
  get host(): string {
    return `127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** The origin of the proxy, without a slash at the end. */
  get url(): string {
    return `http://${this.host}`;
  }

  /** Closes all connections and stops the proxy. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private pass(incoming: IncomingMessage, answer: ServerResponse): void {
    if (this.options.answer?.(incoming, answer) === true) return;
    const { path, redirect } = this.resolve(incoming);
    if (redirect !== undefined) {
      answer.writeHead(301, { location: redirect }).end();
      return;
    }
    if (path === undefined) {
      answer.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not here</h1>');
      return;
    }
    const outgoing = this.passOn(incoming, path);
    outgoing.on('error', () => answer.writeHead(502).end());
    outgoing.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    incoming.pipe(outgoing);
  }

  private resolve({ url = '/' }: IncomingMessage): { path?: string; redirect?: string } {
    const { folders } = this.options;
    if (folders === undefined) return { path: url };
    const [path = '', query] = url.split('?');
    if (folders.includes(path)) return { redirect: `${path}/${query ? `?${query}` : ''}` };
    const folder = folders.find((prefix) => url.startsWith(`${prefix}/`));
    return folder === undefined ? {} : { path: url.slice(folder.length) };
  }

  private passOn(incoming: IncomingMessage, path: string) {
    const headers = { ...incoming.headers, ...this.options.adds };
    if (this.options.keepsHost === false) headers.host = this.target.host;
    if (this.options.upgrades === false) {
      delete headers.upgrade;
      delete headers.connection;
    }
    const { hostname, port } = this.target;
    return request({ hostname, port, path, method: incoming.method, headers });
  }

  private upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path } = this.resolve(incoming);
    if (path === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
      return;
    }
    const outgoing = this.passOn(incoming, path);
    outgoing.on('error', () => socket.destroy());
    outgoing.on('response', ({ statusCode = 502, statusMessage = '' }) => {
      socket.end(`HTTP/1.1 ${String(statusCode)} ${statusMessage}\r\n\r\n`);
    });
    outgoing.on('upgrade', ({ rawHeaders }, behind, headBehind) => {
      const lines = rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      // The packet of the response may already contain frames of the server.
      socket.write(headBehind);
      behind.write(head);
      this.join(socket, behind);
    });
    outgoing.end();
  }

  private join(client: Duplex, behind: Duplex): void {
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
