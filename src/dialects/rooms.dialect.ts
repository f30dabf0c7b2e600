import type { EventData } from '../protocol/events.js';
import { isJsonObject } from '../protocol/codec.js';
import type { Dialect, ForeignEvent, Listener, Step } from './dialect.js';
import { foreignRoom, foreignTitle } from './foreign-room.js';
import { messageLine } from './message-line.js';
import { send } from './enter.js';

const joined = (name: string) => `${name} se unio a la habitacion`;
const left = (name: string) => `${name} abandono la habitacion`;

/** The program rooms: texts in rooms that people name, with lines in Spanish about who comes. */
export const rooms: Dialect<null> = {
  name: 'rooms',

  declares: ({ event, data }) =>
    event === 'join' || event === 'leave' || (event === 'chat' && isChatOfRooms(data)),
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
      return [{ emit: 'join', data: joined(user.name) }];
    }
    if (event !== 'member.left') return [];
    const { user } = data as EventData<'member.left'>;
    return [{ emit: 'leave', data: left(user.name), isFor: isNot(user.id) }];
  },

  fromReply({ to, outcome }, { user }) {
    if (to.ask !== 'room.join' || !outcome.ok) return [];
    return [{ emit: 'join', data: joined(user?.name ?? '') }];
  },

  refuse: (error) => ({ emit: 'error', data: error }),
};

/** Tells this program's `chat` from that of simple chat. */
export function isChatOfRooms(data: unknown): boolean {
  if (!isJsonObject(data) || 'event' in data) return false;
  return typeof data['message'] === 'string' && 'room' in data;
}

function toSteps({ event, data }: ForeignEvent): Step<null>[] {
  const { room: typed, message } = isJsonObject(data) ? data : {};
  const isName = typeof typed === 'string' && typed.trim() !== '';
  const room = isName ? foreignRoom(typed) : typed;
  if (event === 'join') {
    const title = isName ? foreignTitle(typed) : undefined;
    return [{ ask: 'room.join', data: { room, create: true, title } }];
  }
  if (event === 'leave') return [{ ask: 'room.leave', data: { room } }];
  return event === 'chat' ? [send(room, message)] : [];
}

function isNot(id: string) {
  return ({ user }: Listener<null>) => user?.id !== id;
}
