import type { Encoding, Prepared } from '../../chat/connections/transport.js';
import { encodeEvent } from '../../protocol/codec.js';
import { textFrame } from '../websocket-frame.js';

/** WebSocket frames, ready to be written. */
export interface PreparedFrames extends Prepared {
  readonly frames: Buffer;
}

/** JSON in WebSocket text frames (P-10.2). */
export const webSocketEncoding: Encoding = {
  name: 'websocket',

  prepare(event, data): PreparedFrames {
    const frames = textFrame(encodeEvent(event, data));
    return { frames, bytes: frames.length };
  },

  join(prepared): PreparedFrames {
    const frames = Buffer.concat((prepared as readonly PreparedFrames[]).map((one) => one.frames));
    return { frames, bytes: frames.length };
  },
};
