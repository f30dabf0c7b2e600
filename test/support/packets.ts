import { openRaw, type RawWebSocket } from './raw-websocket.js';

/** Finds the first packet that begins with a text; waits for it. */
export async function packet({ client }: RawWebSocket, start: string): Promise<string> {
  const find = () => (client.frames as string[]).find((text) => text.startsWith(start));
  await client.until(() => find() !== undefined, `a packet that begins with ${start}`);
  return find() ?? '';
}

/** Opens engine.io over WebSocket by hand; packets are texts. */
export function openPackets(url: string, revision: 3 | 4): Promise<RawWebSocket> {
  const base = url.replace(/^http/, 'ws');
  return openRaw(`${base}/socket.io/?EIO=${String(revision)}&transport=websocket`, { texts: true });
}

/** Opens a Socket.IO connection over WebSocket by hand, of the newest protocol. */
export async function openByHand(url: string, auth?: object): Promise<RawWebSocket> {
  const raw = await openPackets(url, 4);
  await packet(raw, '0{');
  raw.socket.send(`40${auth === undefined ? '' : JSON.stringify(auth)}`);
  await packet(raw, '40{');
  return raw;
}

/** Gives the value in the acknowledgement of a number. */
export async function ack(raw: RawWebSocket, number: number): Promise<Record<string, unknown>> {
  const start = `43${String(number)}[`;
  const text = await packet(raw, start);
  return (JSON.parse(text.slice(start.length - 1)) as [Record<string, unknown>])[0];
}

/** A client of HTTP polling with the framing of Engine.IO 3, by hand. */
export class OldPolling {
  private constructor(
    private readonly url: string,
    readonly packets: string[],
  ) {}

  /** Opens a session; its first packets have come then. */
  static async open(base: string): Promise<OldPolling> {
    const url = `${base}/socket.io/?EIO=3&transport=polling`;
    const packets = unframe(await (await fetch(url)).text());
    const { sid } = JSON.parse((packets[0] ?? '').slice(1)) as { sid: string };
    return new OldPolling(`${url}&sid=${sid}`, packets);
  }

  /** Sends packets in one request; gives the status of the answer. */
  async post(...packets: string[]): Promise<number> {
    const body = packets.map((text) => `${String(text.length)}:${text}`).join('');
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
    return (await fetch(this.url, { method: 'POST', body, headers })).status;
  }

  /** Polls until a packet that begins with a text has come. */
  async until(start: string): Promise<string> {
    for (;;) {
      const found = this.packets.find((text) => text.startsWith(start));
      if (found !== undefined) return found;
      const response = await fetch(this.url, { signal: AbortSignal.timeout(5_000) });
      const body = await response.text();
      if (response.status !== 200) throw new Error(`Polling failed: ${body}`);
      this.packets.push(...unframe(body));
    }
  }
}

/** Divides a body of Engine.IO 3 into its packets, each with its length before it. */
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
