const SEPARATOR = '\x1e';
const POLL_MS = 8_000;

/** A handwritten client of Engine.IO over HTTP polling, which can send what no library sends. */
export class Polling {
  private constructor(private readonly url: string) {}

  /** Opens an Engine.IO session, without the connect packet of Socket.IO. */
  static async open(
    base: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Polling> {
    const url = `${base}/socket.io/?EIO=4&transport=polling`;
    const [open = ''] = await packetsOf(await fetch(url, { headers }));
    const { sid } = JSON.parse(open.slice(1)) as { sid: string };
    return new Polling(`${url}&sid=${sid}`);
  }

  /** Path and query of the session. */
  get path(): string {
    const { pathname, search } = new URL(this.url);
    return pathname + search;
  }

  /** Sends packets in one request; returns the HTTP status. */
  async post(...packets: string[]): Promise<number> {
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
    const body = packets.join(SEPARATOR);
    return (await fetch(this.url, { method: 'POST', body, headers })).status;
  }

  /** Polls once; returns the packets, none if the session has ended. */
  async poll(): Promise<string[]> {
    const response = await fetch(this.url, { signal: AbortSignal.timeout(POLL_MS) });
    return response.ok ? packetsOf(response) : [];
  }
}

async function packetsOf(response: Response): Promise<string[]> {
  return (await response.text()).split(SEPARATOR);
}
