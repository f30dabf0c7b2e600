import { connect } from 'node:net';

import { encodeFrame, FrameSplitter, Opcode } from './websocket-frames.js';

// Reads are synchronous and nothing keeps the bytes, so one buffer serves all connections.
const SHARED = Buffer.allocUnsafe(256 * 1024);
const SETUP_TIMEOUT_MS = 15_000;
const ENGINE_PING = 0x32;
const ERROR_EVENT = /^(?:\{"event":|42\[)"(?:bye|error)"/;

/** A minimal chat client that counts the events it receives. */
export class Connection {
  /** Whether it sends messages; its replies are read then. */
  sends = false;
  /** Whether it measures the latency of the messages that it receives. */
  samples = false;
  #splitter = new FrameSplitter((...frame) => this.#onFrame(...frame));
  #closing = false;
  #nextId = 1;
  /** @type {string | null} */
  #upgrade = '';
  /** @type {import('node:net').Socket | undefined} */
  #socket;
  /** @type {string[]} texts received before a caller waited for them */
  #unread = [];
  /** @type {{ prefix: string, resolve: (text: string) => void, fail: () => void } | null} */
  #waiting = null;
  #setup = true;

  /**
   * @param {import('./dialects.js').Dialect} dialect
   * @param {import('./tally.js').Tally} tally
   * @param {string} room
   * @param {(connection: Connection) => void} onReply
   */
  constructor(dialect, tally, room, onReply) {
    this.dialect = dialect;
    this.tally = tally;
    this.room = room;
    this.onReply = onReply;
  }

  /**
   * @param {number} port
   * @param {string} name
   */
  async open(port, name) {
    const upgraded = this.receive('HTTP/1.1 101');
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: SHARED, callback: (size) => this.#onBytes(SHARED.subarray(0, size)) },
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#onClose());
    this.#socket.write(
      `GET ${this.dialect.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: cGFybGFuY2UtYmVuY2gtMQ==\r\n\r\n',
    );
    await upgraded;
    await this.dialect.greet(this, name);
    await this.request('room.join', { room: this.room, create: true });
    this.#endSetup();
  }

  /** @param {string} text */
  push(text) {
    this.#socket?.write(encodeFrame(Opcode.text, Buffer.from(text)));
  }

  /**
   * Sends a command; the reply is passed to `onReply`.
   *
   * @param {string} name
   * @param {object} data
   */
  command(name, data) {
    this.push(this.dialect.command(this.#nextId++, name, data));
  }

  /**
   * Sends a command during the setup and waits until it succeeds.
   *
   * @param {string} name
   * @param {object} data
   */
  async request(name, data) {
    this.command(name, data);
    const reply = await this.receive(this.dialect.replyPrefix);
    if (!isSuccess(reply)) throw new Error(`${name} failed: ${reply.slice(0, 300)}`);
  }

  /**
   * Waits for the next text with this prefix; for use during the setup only.
   *
   * @param {string} prefix
   * @returns {Promise<string>}
   */
  receive(prefix) {
    const index = this.#unread.findIndex((text) => text.startsWith(prefix));
    if (index !== -1) return Promise.resolve(this.#unread.splice(index, 1)[0]);
    return new Promise((resolve, reject) => {
      const fail = () => {
        clearTimeout(timer);
        reject(
          new Error(`no "${prefix}" received; first error of the server: ${this.tally.firstError}`),
        );
      };
      const timer = setTimeout(fail, SETUP_TIMEOUT_MS);
      this.#waiting = {
        prefix,
        fail,
        resolve: (text) => {
          clearTimeout(timer);
          resolve(text);
        },
      };
    });
  }

  close() {
    this.#closing = true;
    this.#socket?.destroy();
  }

  #endSetup() {
    this.#setup = false;
    this.#unread = [];
    if (!this.sends && !this.samples) {
      this.#splitter.wanted = this.dialect.deliveryPrefix.length;
    }
  }

  /** @param {Buffer} bytes */
  #onBytes(bytes) {
    if (this.#upgrade === null) {
      this.#splitter.push(bytes);
      return true;
    }
    this.#upgrade += bytes.toString('latin1');
    const end = this.#upgrade.indexOf('\r\n\r\n');
    if (end === -1) return true;
    const head = this.#upgrade.slice(0, end);
    const rest = Buffer.from(this.#upgrade.slice(end + 4), 'latin1');
    this.#upgrade = null;
    if (!head.startsWith('HTTP/1.1 101')) this.tally.noteError(head);
    this.#onSetupText(head);
    this.#splitter.push(rest);
    return true;
  }

  /**
   * @param {number} opcode
   * @param {Buffer} data
   * @param {number} start
   * @param {number} size
   */
  #onFrame(opcode, data, start, size) {
    if (opcode !== Opcode.text) {
      this.#onControl(opcode, data.subarray(start, start + size));
    } else if (hasPrefix(data, start, size, this.dialect.deliveryPrefix)) {
      this.tally.delivered++;
      if (this.samples) this.tally.sample(data, start, size);
    } else if (size === 1 && data[start] === ENGINE_PING) {
      this.push('3');
    } else if (this.#splitter.wanted === Infinity) {
      this.#onText(data.toString('latin1', start, start + Math.min(size, 512)));
    }
  }

  /** @param {string} text */
  #onText(text) {
    if (ERROR_EVENT.test(text)) this.tally.noteError(text);
    if (this.#setup) this.#onSetupText(text);
    else if (text.startsWith(this.dialect.replyPrefix)) {
      if (isSuccess(text)) this.tally.acked++;
      else this.tally.refuse(text);
      this.onReply(this);
    }
  }

  /** @param {string} text */
  #onSetupText(text) {
    if (this.#waiting === null || !text.startsWith(this.#waiting.prefix)) {
      this.#unread.push(text);
      return;
    }
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(text);
  }

  /**
   * @param {number} opcode
   * @param {Buffer} payload
   */
  #onControl(opcode, payload) {
    if (opcode === Opcode.ping) this.#socket?.write(encodeFrame(Opcode.pong, payload));
    if (opcode === Opcode.close && payload.length >= 2) {
      this.tally.noteError(`closed with ${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`);
    }
  }

  #onClose() {
    if (!this.#closing) this.tally.lost++;
    this.#waiting?.fail();
  }
}

/** @param {string} reply */
function isSuccess(reply) {
  return reply.slice(0, 64).includes('"ok":true');
}

/**
 * @param {Buffer} data
 * @param {number} start
 * @param {number} size
 * @param {Buffer} prefix
 */
function hasPrefix(data, start, size, prefix) {
  if (size < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (data[start + i] !== prefix[i]) return false;
  return true;
}
