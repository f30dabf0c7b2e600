import type { EventData } from '../../protocol/events.js';
import type { Attachment, Message } from '../../protocol/models.js';
import type { Ask, Emit, ServerEvent, Surroundings } from '../dialect.js';
import { messageLine } from '../message-line.js';
import { came, nameOfRoom, said, went } from './answers.js';
import type { Person, State, Steps } from './answers.js';

/** Translates what is sent to everybody in a room, and what tells one of a direct room. */
export function fromEvent({ event, data }: ServerEvent, around: Surroundings): Steps {
  if (event === 'message.created') {
    const { message } = data as EventData<'message.created'>;
    const isFor = ({ user }: Person): boolean => user?.id !== message.sender.id;
    return shown(message, around).map((emit) => ({ ...emit, isFor }));
  }
  if (event === 'member.joined') {
    const { room, member } = data as EventData<'member.joined'>;
    const { id, name } = member.user;
    return [toOthers(room, id, around, (typed) => came(name, typed))];
  }
  if (event === 'member.left') {
    const { room, user } = data as EventData<'member.left'>;
    return [toOthers(room, user.id, around, (typed) => went(user.name, typed))];
  }
  return event === 'dm.opened' ? [enterDirect((data as EventData<'dm.opened'>).info.id)] : [];
}

/** Who opened it is in it already. */
function enterDirect(room: string): Ask {
  return { ask: 'room.join', data: { room }, isFor: ({ rooms }) => !rooms.has(room) };
}

/** Shows a message: its text, with the names of files, and each image by itself. */
export function shown(message: Message, around: Surroundings): Emit<State>[] {
  const { sender, attachments = [] } = message;
  const images = attachments.filter(({ preview }) => preview !== undefined);
  const files = attachments.filter(({ preview }) => preview === undefined);
  const line = messageLine({ ...message, attachments: files });
  if (line === null) return [];
  const from = sender.name.toUpperCase();
  return [
    ...(line === '' ? [] : [said(sender.name, line)]),
    ...images.map((image) => ({ emit: 'chat', later: () => showImage(image, from, around) })),
  ];
}

async function showImage(image: Attachment, from: string, around: Surroundings): Promise<unknown> {
  const bimage = await around.dataUrl(image);
  return bimage === null ? null : { type: 'image', from, bimage };
}

/** Tells those who joined the room, each by the name under which they know it. */
function toOthers(
  room: string,
  id: string,
  around: Surroundings,
  say: (typed: string) => unknown,
): Emit<State> {
  const each = (person: Person): unknown => {
    const typed = nameOfRoom(person, room, around);
    return typed === undefined || person.user?.id === id ? undefined : say(typed);
  };
  return { emit: 'chat', each };
}
