import { setTimeout as sleep } from 'node:timers/promises';

import { WebSocket } from 'ws';

const REPLY_MS = 20_000;
/** Larger replies are not parsed; only their first bytes are read. */
const PARSED_BYTES = 65_536;
/** Longest `retryAfterMs` that a client waits before it fails. */
const MAX_WAIT_MS = 5_000;

/**
 * A raw WebSocket client that claims any address, as the server trusts the loopback proxy.
 *
 * @typedef {{ ok: boolean, data?: any, error?: { code: string, retryAfterMs?: number,
 *   details?: Record<string, unknown> } }} Reply
 */
export class Client {
  #pending = new Map();
  #lastId = 0;
  isOpen = true;
  /** Bytes received. */
  bytes = 0;
  /** Number of events received, by name. */
  events = new Map();
  /** @type {any} */
  welcome;

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.on('message', (data) => this.#receive(/** @type {Buffer} */ (data)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isOpen = false;
      for (const settle of this.#pending.values()) settle(gone());
      this.#pending.clear();
    });
  }

  /**
   * Opens a connection.
   *
   * @param {{ port: number, address?: string }} target
   * @returns {Promise<Client>}
   */
  static open({ port, address }) {
    const headers = address === undefined ? {} : { 'X-Forwarded-For': address };
    const options = { headers, perMessageDeflate: false };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, options);
    const client = new Client(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(client));
      socket.once('error', reject);
    });
  }

  /**
   * Opens a connection and sends hello.
   *
   * @param {{ port: number, address?: string }} target
   * @param {object} [hello]
   */
  static async greet(target, hello = {}) {
    const client = await Client.open(target);
    client.welcome = await client.ok('hello', { protocol: 1, ...hello });
    return client;
  }

  /**
   * Sends a command and waits for its reply.
   *
   * @param {string} cmd
   * @param {object} [data]
   * @returns {Promise<Reply>}
   */
  call(cmd, data = {}) {
    if (!this.isOpen) return Promise.resolve(gone());
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(id, gone()), REPLY_MS);
      this.#pending.set(id, (/** @type {Reply} */ reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
      this.socket.send(JSON.stringify({ id, cmd, data }));
    });
  }

  /**
   * Sends a command, again while it is rate limited; returns the data of the reply.
   *
   * @param {string} cmd
   * @param {object} [data]
   */
  async ok(cmd, data) {
    for (;;) {
      const { ok, data: result, error } = await this.call(cmd, data);
      if (ok) return result;
      const { code, retryAfterMs = 100 } = error ?? {};
      if (code !== 'rate_limited' || retryAfterMs > MAX_WAIT_MS)
        throw new Error(`${cmd}: ${JSON.stringify(error)}`);
      await sleep(retryAfterMs);
    }
  }

  /** @param {string} text */
  write(text) {
    if (this.isOpen) this.socket.send(text);
  }

  close() {
    this.socket.terminate();
  }

  /** @param {Buffer} bytes */
  #receive(bytes) {
    this.bytes += bytes.length;
    const head = bytes.toString('latin1', 0, 4096);
    const reply = /^\{"re":(\d+),"ok":(true|false)/.exec(head);
    if (reply === null) {
      const event = /^\{"event":"([^"]+)"/.exec(head)?.[1] ?? '';
      this.events.set(event, (this.events.get(event) ?? 0) + 1);
      return;
    }
    const id = Number(reply[1]);
    if (bytes.length <= PARSED_BYTES) this.#settle(id, JSON.parse(String(bytes)));
    else this.#settle(id, { ok: true, data: { epoch: /"epoch":"([^"]+)"/.exec(head)?.[1] } });
  }

  /**
   * @param {number} id
   * @param {Reply} reply
   */
  #settle(id, reply) {
    const settle = this.#pending.get(id);
    this.#pending.delete(id);
    settle?.(reply);
  }
}

/** @returns {Reply} */
function gone() {
  return { ok: false, error: { code: 'gone' } };
}
