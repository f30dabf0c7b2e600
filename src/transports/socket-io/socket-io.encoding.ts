import type { Encoding, Prepared } from '../../chat/connections/transport.js';
import { encodeOutcome, encodeValue } from '../../protocol/codec.js';
import type { Outcome } from '../../protocol/frames.js';
import { textFrame } from '../websocket-frame.js';

const ENGINE_MESSAGE = '4';
const SOCKET_EVENT = '2';
const SOCKET_ACK = '3';

/** Socket.IO packets, both as text and as WebSocket frames. */
export interface PreparedPackets extends Prepared {
  /** The packets for engine.io. */
  readonly packets: readonly string[];
  /** The same packets as WebSocket frames. */
  readonly frames: Buffer;
}

/** Socket.IO events on the default namespace (P-10.3). */
export const socketIoEncoding: Encoding = {
  name: 'socket.io',

  prepare(event, data): PreparedPackets {
    return prepared(`${SOCKET_EVENT}[${JSON.stringify(event)},${encodeValue(data)}]`);
  },

  join(list): PreparedPackets {
    const all = list as readonly PreparedPackets[];
    const frames = Buffer.concat(all.map((one) => one.frames));
    return { packets: all.flatMap((one) => one.packets), frames, bytes: frames.length };
  },
};

/** Encodes the acknowledgement of the event with an id. */
export function prepareAck(id: number, outcome: Outcome): PreparedPackets {
  return prepared(`${SOCKET_ACK}${String(id)}[{${encodeOutcome(outcome)}}]`);
}

function prepared(packet: string): PreparedPackets {
  const frames = textFrame(ENGINE_MESSAGE + packet);
  return { packets: [packet], frames, bytes: frames.length };
}
