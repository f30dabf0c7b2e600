import type { ReplyData } from '../../../protocol/commands.js';
import type { RoomCut } from '../../../protocol/models.js';
import type { CommandReply, Dialect, DialectContext } from '../../dialect.js';
import { sendMessage } from '../steps.js';
import { fromClient, listMembers, openDirectRoom, type MemberListing } from './from-client.js';
import { fromEvent, messageEvents } from './from-event.js';
import {
  errorEvent,
  isSameName,
  joinPayload,
  joinRefusedPayload,
  userListEvent,
} from './server-events.js';
import type { Connection, State, Steps } from './server-events.js';

/** An image of 1 MB in base64, with its envelope. */
const FRAME_BYTES = 1_500_000;
/** Maximum number of pages that one member listing reads. */
const MAX_PAGES = 10;

/** The legacy app "simple chat": rooms, direct texts by name, and images, all as `chat` events. */
export const simpleChat: Dialect<State> = {
  name: 'simple-chat',
  frameBytes: FRAME_BYTES,
  hasNames: true,
  hasOneRoom: true,

  declares: ({ event }) => event === 'chat',
  begin: () => ({ joined: new Map() }),
  fromClient,
  fromEvent,
  fromReply,
  refuse({ code, message }, to) {
    // Pages may ignore errors, but they show who joins.
    const isShown = to?.ask === 'room.join' && code !== 'invalid';
    if (!isShown || typeof to.note !== 'string') return errorEvent(message);
    return [errorEvent(message), { emit: 'chat', data: joinRefusedPayload(to.note, message) }];
  },
};

function fromReply(
  { to, outcome }: CommandReply,
  connection: Connection,
  context: DialectContext,
): Steps {
  if (!outcome.ok) return [];
  const { note, after = 0 } = to;
  if (to.ask === 'room.join') {
    const cut = outcome.data as ReplyData<'room.join'>;
    return cut.info.kind === 'direct'
      ? missedMessages(cut, after, connection, context)
      : joined(cut, note, connection);
  }
  if (to.ask === 'room.members') {
    const page = outcome.data as ReplyData<'room.members'>;
    return readMembers(String(to.data['room']), page, note as MemberListing);
  }
  if (to.ask === 'room.leave') connection.state.joined.delete(String(to.data['room']));
  if (to.ask !== 'dm.open') return [];
  const direct = outcome.data as ReplyData<'dm.open'>;
  if (note === undefined) return missedMessages(direct, after, connection, context);
  return [sendMessage(direct.room, (note as { text: string }).text)];
}

/** Returns what the other user wrote in a direct room before this connection entered it. */
function missedMessages(
  { messages }: RoomCut,
  after: number,
  { user }: Connection,
  context: DialectContext,
): Steps {
  const missed = messages.filter(({ seq, sender }) => seq > after && sender.id !== user?.id);
  return missed.flatMap((message) => messageEvents(message, context));
}

/** Confirms a join. The default room is also joined implicitly, without a typed name. */
function joined({ room }: RoomCut, typed: unknown, { state, user }: Connection): Steps {
  if (typeof typed !== 'string') return [];
  state.joined.set(room, typed);
  return [{ emit: 'chat', data: joinPayload(user?.name ?? '', typed) }];
}

function readMembers(room: string, page: ReplyData<'room.members'>, listing: MemberListing): Steps {
  const members = [...listing.members, ...page.members];
  if (page.next !== undefined && listing.page < MAX_PAGES) {
    return [listMembers(room, { ...listing, members, page: listing.page + 1 }, page.next)];
  }
  const inOrder = members.toSorted((one, other) => one.joinedAt - other.joinedAt);
  if (listing.recipient === undefined) return [userListEvent(inOrder.map(({ user }) => user.name))];
  const { name, text } = listing.recipient;
  const found = inOrder.find(({ user }) => isSameName(user.name, name));
  if (found === undefined) return [errorEvent(`There is no ${name}.`)];
  return [openDirectRoom(found.user.id, text)];
}
