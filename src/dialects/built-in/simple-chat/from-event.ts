import type { EventData } from '../../../protocol/events.js';
import type { Attachment, Message } from '../../../protocol/models.js';
import type { CommandStep, DialectContext, EmitStep, ServerEvent } from '../../dialect.js';
import { messageLine } from '../steps.js';
import { joinPayload, leavePayload, textEvent, typedRoomName } from './server-events.js';
import type { Connection, State, Steps } from './server-events.js';

/** Translates room events, and the event that announces a direct room. */
export function fromEvent({ event, data }: ServerEvent, context: DialectContext): Steps {
  if (event === 'message.created') {
    const { message } = data as EventData<'message.created'>;
    const isFor = ({ user }: Connection): boolean => user?.id !== message.sender.id;
    return messageEvents(message, context).map((emit) => ({ ...emit, isFor }));
  }
  if (event === 'member.joined') {
    const { room, member } = data as EventData<'member.joined'>;
    const { id, name } = member.user;
    return [announce(room, id, context, (typed) => joinPayload(name, typed))];
  }
  if (event === 'member.left') {
    const { room, user } = data as EventData<'member.left'>;
    return [announce(room, user.id, context, (typed) => leavePayload(user.name, typed))];
  }
  return event === 'dm.opened' ? [joinDirect((data as EventData<'dm.opened'>).info.id)] : [];
}

/** Joins a direct room, except on connections of the user who opened it. */
function joinDirect(room: string): CommandStep {
  return { ask: 'room.join', data: { room }, isFor: ({ rooms }) => !rooms.has(room) };
}

/** Returns the events that show a message: its text with file names, then each image. */
export function messageEvents(message: Message, context: DialectContext): EmitStep<State>[] {
  const { sender, attachments = [] } = message;
  const images = attachments.filter(({ preview }) => preview !== undefined);
  const files = attachments.filter(({ preview }) => preview === undefined);
  const line = messageLine({ ...message, attachments: files });
  if (line === null) return [];
  const from = sender.name.toUpperCase();
  return [
    ...(line === '' ? [] : [textEvent(sender.name, line)]),
    ...images.map((image) => ({ emit: 'chat', later: () => imagePayload(image, from, context) })),
  ];
}

async function imagePayload(
  image: Attachment,
  from: string,
  context: DialectContext,
): Promise<unknown> {
  const bimage = await context.dataUrl(image);
  return bimage === null ? null : { type: 'image', from, bimage };
}

/** Announces a user to the others in a room, each by the name under which they know the room. */
function announce(
  room: string,
  userId: string,
  context: DialectContext,
  toPayload: (typed: string) => unknown,
): EmitStep<State> {
  const each = (connection: Connection): unknown => {
    const typed = typedRoomName(connection, room, context);
    return typed === undefined || connection.user?.id === userId ? undefined : toPayload(typed);
  };
  return { emit: 'chat', each };
}
