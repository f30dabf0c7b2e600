import { isJsonObject } from '../../protocol/codec.js';
import type { WireError } from '../../protocol/errors.js';
import type { EventData } from '../../protocol/events.js';
import type { ClientEvent, Dialect, DialectConnection, Step } from '../dialect.js';
import { toRoomId, toRoomTitle } from './typed-room.js';
import { messageLine, sendMessage } from './steps.js';

const joinLine = (name: string) => `${name} se unio a la habitacion`;
const joinRefusedLine = ({ message }: WireError) => `No se pudo entrar a la habitacion: ${message}`;
const leaveLine = (name: string) => `${name} abandono la habitacion`;

/** The legacy app "rooms": texts in named rooms; joins and leaves are announced in Spanish. */
export const rooms: Dialect<null> = {
  name: 'rooms',

  declares: ({ event, data }) =>
    event === 'join' || event === 'leave' || (event === 'chat' && isRoomsChat(data)),
  begin: () => null,

  fromClient(event, { user }) {
    const steps = toSteps(event);
    return user === null && steps.length > 0 ? [{ ask: 'hello', data: {} }, ...steps] : steps;
  },

  fromEvent({ event, data }) {
    if (event === 'message.created') {
      const line = messageLine((data as EventData<'message.created'>).message);
      return line === null ? [] : [{ emit: 'chat', data: line }];
    }
    if (event === 'member.joined') {
      const { user } = (data as EventData<'member.joined'>).member;
      return [{ emit: 'join', data: joinLine(user.name) }];
    }
    if (event !== 'member.left') return [];
    const { user } = data as EventData<'member.left'>;
    return [{ emit: 'leave', data: leaveLine(user.name), isFor: isNot(user.id) }];
  },

  fromReply({ to, outcome }, { user }) {
    if (to.ask !== 'room.join' || !outcome.ok) return [];
    return [{ emit: 'join', data: joinLine(user?.name ?? '') }];
  },

  refuse(error, to) {
    const report = { emit: 'error', data: error };
    // The page ignores `error` events; it shows what arrives as `join`.
    const isShown = to?.ask === 'room.join' && error.code !== 'invalid';
    return isShown ? [report, { emit: 'join', data: joinRefusedLine(error) }] : report;
  },
};

/** Returns whether the data of a `chat` event are those of this app, not of "simple chat". */
function isRoomsChat(data: unknown): boolean {
  if (!isJsonObject(data) || 'event' in data) return false;
  return typeof data['message'] === 'string' && 'room' in data;
}

function toSteps({ event, data }: ClientEvent): Step<null>[] {
  const { room: typed, message } = isJsonObject(data) ? data : {};
  const isName = typeof typed === 'string' && typed.trim() !== '';
  const room = isName ? toRoomId(typed) : typed;
  if (event === 'join') {
    const title = isName ? toRoomTitle(typed) : undefined;
    return [{ ask: 'room.join', data: { room, create: true, title } }];
  }
  if (event === 'leave') return [{ ask: 'room.leave', data: { room } }];
  return event === 'chat' ? [sendMessage(room, message)] : [];
}

function isNot(id: string) {
  return ({ user }: DialectConnection<null>) => user?.id !== id;
}
