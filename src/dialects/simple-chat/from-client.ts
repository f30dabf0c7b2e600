import type { Member } from '../../protocol/models.js';
import type { ForeignEvent, Step, Surroundings } from '../dialect.js';
import { enter, send } from '../enter.js';
import { foreignRoom, foreignTitle } from '../foreign-room.js';
import { isSameName, listed, nameOfRoom, refusal, UNREADABLE } from './answers.js';
import type { Person, State, Steps } from './answers.js';
import { readDataUrl, readPayload, type Payload } from './payload.js';

const NAME = 'JDOE';
const ROOM = 'PARKED';
const TEXT = 'Knock! Knock!';
/** What people call 1 MB, whichever way they count; about 1.4 MB in base64. */
const IMAGE_BYTES = 1_048_576;
const PAGE = 100;

/** What a listing of members is for: to be shown, or to find the addressee of a text. */
export interface Listing {
  readonly members: readonly Member[];
  readonly page: number;
  readonly person?: { readonly name: string; readonly text: string };
}

/** Translates what the page emitted, all of it under one name. */
export function fromClient(
  { event, data }: ForeignEvent,
  person: Person,
  around: Surroundings,
): Steps {
  if (event !== 'chat') return [];
  const payload = readPayload(data);
  if (payload === null) return [refusal(UNREADABLE)];
  if (payload.event === 'join') return join(payload, person, around);
  if (payload.event === 'users') return users(payload, person);
  if (person.user === null) return [refusal(UNREADABLE)];
  if (payload.event === 'leave') return leave(payload, person, around);
  if (payload.event === 'image') return image(payload, person, around);
  return chat(payload, person, around);
}

/** Asks for a page of the members of a room. */
export function list(room: string, note: Listing, after?: string): Step<State> {
  const data = { room, limit: PAGE, ...(after === undefined ? {} : { after }) };
  return { ask: 'room.members', data, note };
}

/** Opens the direct room of two; the text follows when the room is known. */
export function meet(user: string, text: string): Steps {
  return [{ ask: 'dm.open', data: { user }, note: { text } }];
}

function join(payload: Payload, person: Person, around: Surroundings): Steps {
  const { user = NAME, room: typed = ROOM } = payload;
  const name = user.trim();
  const isOther = person.user !== null && !isSameName(person.user.name, name);
  const data = { room: foreignRoom(typed), create: true, title: foreignTitle(typed) };
  return [
    ...(isOther ? [{ ask: 'user.update' as const, data: { name } }] : []),
    ...enter(person, around, name),
    { ask: 'room.join', data, note: typed },
  ];
}

function leave({ room: typed = ROOM }: Payload, person: Person, around: Surroundings): Steps {
  const room = foreignRoom(typed);
  if (nameOfRoom(person, room, around) === undefined) {
    return [refusal(`You are not in ${typed}.`)];
  }
  return [{ ask: 'room.leave', data: { room } }];
}

/** Nobody may list a room from outside: to them it is empty. */
function users({ room: typed = ROOM }: Payload, { rooms }: Person): Steps {
  const room = foreignRoom(typed);
  return rooms.has(room) ? [list(room, { members: [], page: 1 })] : [listed([])];
}

function chat(payload: Payload, person: Person, around: Surroundings): Steps {
  const { user: name, text = payload.message ?? TEXT } = payload;
  const room = roomOf(payload, around);
  if (name === undefined) return [...enter(person, around), send(room, text)];
  const peer = person.findPeer(name);
  if (peer !== null) return meet(peer, text);
  return [list(room, { members: [], page: 1, person: { name, text } })];
}

function image(payload: Payload, person: Person, around: Surroundings): Steps {
  const upload = readDataUrl(payload.bimage ?? '');
  if (upload === null) return [refusal('An image is a data URL in base64.')];
  if (upload.bytes.length > IMAGE_BYTES) return [refusal('An image has at most 1 MB.')];
  return [...enter(person, around), { ...send(roomOf(payload, around)), upload }];
}

function roomOf({ room }: Payload, { publicRoom }: Surroundings): string {
  return room === undefined ? publicRoom : foreignRoom(room);
}
