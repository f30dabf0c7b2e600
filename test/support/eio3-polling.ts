/** A handwritten client of HTTP polling with the framings of Engine.IO 3. */
export class Eio3Polling {
  private constructor(
    private readonly url: string,
    readonly packets: string[],
    /** The content type of the first response. */
    readonly contentType: string,
  ) {}

  /** Opens a session and receives its first packets; `query` is appended to the URL. */
  static async open(base: string, query = ''): Promise<Eio3Polling> {
    const url = `${base}/socket.io/?EIO=3&transport=polling`;
    const response = await fetch(url + query);
    const packets = await packetsOf(response);
    const { sid } = JSON.parse((packets[0] ?? '').slice(1)) as { sid: string };
    const type = response.headers.get('content-type') ?? '';
    return new Eio3Polling(`${url}&sid=${sid}`, packets, type);
  }

  /** Sends packets in one request; returns the HTTP status. */
  async post(...packets: string[]): Promise<number> {
    const body = packets.map((text) => `${String(text.length)}:${text}`).join('');
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
    return (await fetch(this.url, { method: 'POST', body, headers })).status;
  }

  /** Sends packets as Socket.IO 1.0 to 1.3 does: each byte of UTF-8 is a character. */
  postBytesAsTexts(...packets: string[]): Promise<number> {
    return this.post(...packets.map((text) => Buffer.from(text).toString('latin1')));
  }

  /** Sends packets in the binary framing. */
  async postBinary(...packets: string[]): Promise<number> {
    const body = Buffer.concat(packets.map(frame));
    const headers = { 'Content-Type': 'application/octet-stream' };
    return (await fetch(this.url, { method: 'POST', body, headers })).status;
  }

  /** Polls until a packet that starts with `start` has arrived. */
  async until(start: string): Promise<string> {
    for (;;) {
      const found = this.packets.find((text) => text.startsWith(start));
      if (found !== undefined) return found;
      const response = await fetch(this.url, { signal: AbortSignal.timeout(5_000) });
      if (response.status !== 200) throw new Error(`Polling failed: ${await response.text()}`);
      this.packets.push(...(await packetsOf(response)));
    }
  }
}

async function packetsOf(response: Response): Promise<string[]> {
  const isBinary = response.headers.get('content-type') === 'application/octet-stream';
  if (!isBinary) return unframe(await response.text());
  return unframeBinary(Buffer.from(await response.arrayBuffer()));
}

/** Splits a text body into packets; each follows its length. */
function unframe(body: string): string[] {
  const packets: string[] = [];
  for (let at = 0; at < body.length;) {
    const colon = body.indexOf(':', at);
    const end = colon + 1 + Number(body.slice(at, colon));
    packets.push(body.slice(colon + 1, end));
    at = end;
  }
  return packets;
}

/** Splits a binary body into packets: 0 for text, the digits of the length, 0xff, the bytes. */
function unframeBinary(body: Buffer): string[] {
  const packets: string[] = [];
  for (let at = 0; at < body.length;) {
    const start = body.indexOf(0xff, at) + 1;
    if (body[at] !== 0 || start === 0) throw new Error(`The packet at ${String(at)} is not a text`);
    const end = start + Number([...body.subarray(at + 1, start - 1)].join(''));
    packets.push(body.toString('utf8', start, end));
    at = end;
  }
  return packets;
}

function frame(packet: string): Buffer {
  // The binary framing encodes each byte of UTF-8 as a character.
  const bytes = Buffer.from(packet);
  return Buffer.concat([
    Buffer.from([0, ...String(bytes.length)].map(Number)),
    Buffer.from([0xff]),
    bytes,
  ]);
}
