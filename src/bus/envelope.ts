import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** Format of the bodies that this build writes and reads. */
export const FORMAT = 1;

const MAC_AT = 1;
const MAC_BYTES = 32;
const BOOT_AT = MAC_AT + MAC_BYTES;
const BOOT_BYTES = 16;
const COUNTER_AT = BOOT_AT + BOOT_BYTES;
const COUNTER_BYTES = 6;
const BODY_AT = COUNTER_AT + COUNTER_BYTES;
const MIN_KEY_BYTES = 32;

/** Bytes of a frame besides its body. */
export const ENVELOPE_BYTES = BODY_AT;

/** A frame whose sender knows the key. */
export interface OpenFrame {
  readonly format: number;
  /** Id of the run of the node that sent it. */
  readonly boot: string;
  /** Number of the frame, per boot and subject, from 1. */
  readonly counter: number;
  /** Bytes in the format; valid only as long as those of the frame. */
  readonly body: Buffer;
}

/**
 * Puts frames into envelopes, and checks those of others.
 *
 * An envelope is the format, an HMAC-SHA256, the boot id, the counter and the body. It is the same
 * in all formats, so that frames of an unknown format can be authenticated and counted, too. The
 * HMAC covers everything else, the cluster and the subject.
 */
export class Envelopes {
  private readonly ownBoot: Buffer;
  private readonly key: KeyObject;

  /** `boot` is 16 bytes in base64url. */
  constructor(
    private readonly clusterId: string,
    key: Uint8Array,
    boot: string,
  ) {
    this.ownBoot = Buffer.from(boot, 'base64url');
    if (this.ownBoot.length !== BOOT_BYTES) throw new RangeError('A boot id has 16 bytes.');
    if (key.length < MIN_KEY_BYTES) throw new RangeError('The key of a cluster has 32 bytes.');
    this.key = createSecretKey(key);
  }

  /** Returns the bytes of a frame. */
  seal(subject: string, counter: number, body: string, format = FORMAT): Buffer {
    const frame = Buffer.allocUnsafe(BODY_AT + Buffer.byteLength(body));
    frame[0] = format;
    this.ownBoot.copy(frame, BOOT_AT);
    frame.writeUIntBE(counter, COUNTER_AT, COUNTER_BYTES);
    frame.write(body, BODY_AT);
    this.macOf(subject, frame).copy(frame, MAC_AT);
    return frame;
  }

  /** Returns a frame of another node, `own` for one of this node, or `forged`. */
  open(subject: string, bytes: Uint8Array): OpenFrame | 'own' | 'forged' {
    const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (frame.length < BODY_AT) return 'forged';
    const boot = frame.subarray(BOOT_AT, COUNTER_AT);
    if (boot.equals(this.ownBoot)) return 'own';
    const mac = frame.subarray(MAC_AT, BOOT_AT);
    if (!timingSafeEqual(mac, this.macOf(subject, frame))) return 'forged';
    return {
      format: frame.readUInt8(0),
      boot: boot.toString('base64url'),
      counter: frame.readUIntBE(COUNTER_AT, COUNTER_BYTES),
      body: frame.subarray(BODY_AT),
    };
  }

  private macOf(subject: string, frame: Buffer): Buffer {
    return createHmac('sha256', this.key)
      .update(`${this.clusterId}\n${subject}\n`)
      .update(frame.subarray(0, MAC_AT))
      .update(frame.subarray(BOOT_AT))
      .digest();
  }
}
