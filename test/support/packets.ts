import { openRaw, type RawWebSocket } from './raw-websocket.js';

/** Waits for the first packet that starts with `start`; returns it. */
export async function packet({ client }: RawWebSocket, start: string): Promise<string> {
  const find = () => (client.frames as string[]).find((text) => text.startsWith(start));
  await client.until(() => find() !== undefined, `a packet that starts with ${start}`);
  return find() ?? '';
}

/** Opens Engine.IO over a raw WebSocket; packets are texts. */
export function openPackets(url: string, revision: 3 | 4): Promise<RawWebSocket> {
  const base = url.replace(/^http/, 'ws');
  return openRaw(`${base}/socket.io/?EIO=${String(revision)}&transport=websocket`, { texts: true });
}

/** Opens Socket.IO over a raw WebSocket, with the latest protocol. */
export async function openSocketIoPackets(url: string, auth?: object): Promise<RawWebSocket> {
  const raw = await openPackets(url, 4);
  await packet(raw, '0{');
  raw.socket.send(`40${auth === undefined ? '' : JSON.stringify(auth)}`);
  await packet(raw, '40{');
  return raw;
}

/** Waits for the acknowledgement with a number; returns its value. */
export async function ack(raw: RawWebSocket, number: number): Promise<Record<string, unknown>> {
  const start = `43${String(number)}[`;
  const text = await packet(raw, start);
  return (JSON.parse(text.slice(start.length - 1)) as [Record<string, unknown>])[0];
}
