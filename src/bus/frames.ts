import type { LogEvent } from '../protocol/events.js';
import { encodeEvent } from '../protocol/codec.js';
import type { Message } from '../protocol/models.js';

/** An event of a log, with the message that it is about in its current form. */
export type ChangeEvent = LogEvent & { readonly message?: Message };

/** New events of a log, or only its head. */
export interface LogChange {
  readonly log: string;
  readonly epoch: string;
  /** Position of the last event. */
  readonly head: number;
  /** Events up to the head, without gaps; missing if receivers must read them from the database. */
  readonly events?: readonly ChangeEvent[];
}

/** Something that happens in a room and is in no log, such as typing. */
export interface Ephemeral {
  readonly room: string;
  readonly epoch: string;
  /** Head of the room at the sender: a receiver that is behind reads the log first. */
  readonly head: number;
  readonly type: string;
  readonly data: unknown;
}

/** Recipient of a control message. */
export type ControlTarget = { readonly user: string } | { readonly node: string } | 'all';

/** A message between nodes, such as the end of all connections of a user. */
export interface Control {
  readonly to: ControlTarget;
  readonly type: string;
  readonly data: unknown;
}

/** Description that a node sends of itself. */
export interface NodeDescription {
  /** Address that other nodes and the operator know it by. */
  readonly address: string;
  /** Version of the software. */
  readonly version: string;
  /** Digest of the settings that all nodes must share. */
  readonly settings: string;
}

/** A sign of life. */
export interface Beat extends NodeDescription {
  /** Number of the last frame per subject: of all subjects, or of those that moved lately. */
  readonly counters: Readonly<Record<string, number>>;
  /** Whether {@link counters} has every subject with a frame. */
  readonly isFull: boolean;
  /** Whether the node stops now. */
  readonly isLeaving: boolean;
  /** State that the owner adds. */
  readonly state: unknown;
}

/** Time at which a frame was sent, by the clock of its sender, in milliseconds since 1970. */
export interface Sent {
  readonly at: number;
}

/** Encodes changes of logs, with their events or only the heads. */
export function encodeChanges(changes: readonly LogChange[], withEvents: boolean): string {
  const logs = changes.map((change) => encodeChange(change, withEvents));
  return `{"at":${String(Date.now())},"logs":[${logs.join(',')}]}`;
}

function encodeChange({ log, epoch, head, events }: LogChange, withEvents: boolean): string {
  const place = `"log":${JSON.stringify(log)},"epoch":${JSON.stringify(epoch)},"head":${String(head)}`;
  if (!withEvents || events === undefined) return `{${place}}`;
  return `{${place},"events":[${events.map(encodeChangeEvent).join(',')}]}`;
}

function encodeChangeEvent({ event, data, message }: ChangeEvent): string {
  // The codec encodes events that many receive only once.
  const text = encodeEvent(event, data);
  if (message === undefined || ('message' in data && data.message === message)) return text;
  return `${text.slice(0, -1)},"message":${JSON.stringify(message)}}`;
}

/**
 * Decodes the changes in a frame.
 *
 * @throws Error if they are in an unknown form
 */
export function decodeChanges(body: Buffer): Sent & { readonly logs: readonly LogChange[] } {
  const decoded = decodeBody(body) as Sent & { readonly logs?: unknown };
  if (!Array.isArray(decoded.logs)) throw new Error('A log frame lacks its logs.');
  return decoded as Sent & { readonly logs: readonly LogChange[] };
}

/** Encodes the body of any other frame. */
export function encodeBody(body: object): string {
  return JSON.stringify({ at: Date.now(), ...body });
}

/**
 * Decodes the body of a frame.
 *
 * @throws Error if it is not a JSON object
 */
export function decodeBody(body: Buffer): Sent {
  const decoded: unknown = JSON.parse(body.toString());
  if (typeof decoded !== 'object' || decoded === null) throw new Error('A frame is no object.');
  return decoded as Sent;
}
