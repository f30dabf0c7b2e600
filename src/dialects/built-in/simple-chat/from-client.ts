import type { Member } from '../../../protocol/models.js';
import type { ClientEvent, CommandStep, DialectContext } from '../../dialect.js';
import { enterDefaultRoom, sendMessage } from '../steps.js';
import { toRoomId, toRoomTitle } from '../typed-room.js';
import { readDataUrl, readPayload, type Payload } from './payload.js';
import { errorEvent, isSameName, typedRoomName, UNREADABLE } from './server-events.js';
import type { Connection, Steps } from './server-events.js';

const DEFAULT_NAME = 'JDOE';
const DEFAULT_ROOM = 'PARKED';
const DEFAULT_TEXT = 'Knock! Knock!';
/** 1 MB in the larger reading of the unit; about 1.4 MB in base64. */
const MAX_IMAGE_BYTES = 1_048_576;
const PAGE_MEMBERS = 100;

/** Progress and purpose of a member listing: to show it, or to find the recipient of a text. */
export interface MemberListing {
  readonly members: readonly Member[];
  /** Number of the page that is read, starting at 1. */
  readonly page: number;
  readonly recipient?: { readonly name: string; readonly text: string };
}

const NEW_LISTING: MemberListing = { members: [], page: 1 };

/** Translates an event of the client; all of them are named `chat`. */
export function fromClient(
  { event, data }: ClientEvent,
  connection: Connection,
  context: DialectContext,
): Steps {
  if (event !== 'chat') return [];
  const payload = readPayload(data);
  if (payload === null) return [errorEvent(UNREADABLE)];
  if (payload.event === 'join') return join(payload, connection, context);
  if (payload.event === 'users') {
    return [listMembers(toRoomId(payload.room ?? DEFAULT_ROOM), NEW_LISTING)];
  }
  if (connection.user === null) return [errorEvent(UNREADABLE)];
  if (payload.event === 'leave') return leave(payload, connection, context);
  if (payload.event === 'image') return sendImage(payload, connection, context);
  return sendText(payload, connection, context);
}

/** Returns the command that reads a page of the members of a room. */
export function listMembers(room: string, note: MemberListing, after?: string): CommandStep {
  const data = { room, limit: PAGE_MEMBERS, ...(after === undefined ? {} : { after }) };
  return { ask: 'room.members', data, note };
}

/** Returns the command that opens a direct room; its reply triggers sending the text. */
export function openDirectRoom(user: string, text: string): CommandStep {
  return { ask: 'dm.open', data: { user }, note: { text } };
}

function join(payload: Payload, connection: Connection, context: DialectContext): Steps {
  const { user = DEFAULT_NAME, room: typed = DEFAULT_ROOM } = payload;
  const name = context.displayName(user) ?? DEFAULT_NAME;
  const isRenamed = connection.user !== null && !isSameName(connection.user.name, name);
  const data = { room: toRoomId(typed), create: true, title: toRoomTitle(typed) };
  return [
    ...(isRenamed ? [{ ask: 'user.update' as const, data: { name } }] : []),
    ...enterDefaultRoom(connection, context, name),
    { ask: 'room.join', data, note: typed },
  ];
}

function leave(
  { room: typed = DEFAULT_ROOM }: Payload,
  connection: Connection,
  context: DialectContext,
): Steps {
  const room = toRoomId(typed);
  if (typedRoomName(connection, room, context) === undefined) {
    return [errorEvent(`You are not in ${typed}.`)];
  }
  return [{ ask: 'room.leave', data: { room } }];
}

function sendText(payload: Payload, connection: Connection, context: DialectContext): Steps {
  const { user: name } = payload;
  const text = payload.text || (payload.message ?? payload.text ?? DEFAULT_TEXT);
  const room = roomOf(payload, context);
  if (name === undefined) {
    return [...enterDefaultRoom(connection, context), sendMessage(room, text)];
  }
  const peer = connection.findPeer(name) ?? connection.findPeer(context.displayName(name) ?? name);
  if (peer !== null) return [openDirectRoom(peer, text)];
  return [listMembers(room, { ...NEW_LISTING, recipient: { name, text } })];
}

function sendImage(payload: Payload, connection: Connection, context: DialectContext): Steps {
  const upload = readDataUrl(payload.bimage ?? '');
  if (upload === null) return [errorEvent('Send the image as a data URL in base64.')];
  if (upload.bytes.length > MAX_IMAGE_BYTES) return [errorEvent('An image has at most 1 MB.')];
  const message = { ...sendMessage(roomOf(payload, context)), upload };
  return [...enterDefaultRoom(connection, context), message];
}

function roomOf({ room }: Payload, { defaultRoom }: DialectContext): string {
  return room === undefined ? defaultRoom : toRoomId(room);
}
