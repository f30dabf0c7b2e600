import type { ReplyData } from '../../protocol/commands.js';
import type { RoomCut } from '../../protocol/models.js';
import type { Answer, Dialect, Surroundings } from '../dialect.js';
import { send } from '../enter.js';
import { came, isSameName, listed, refusal } from './answers.js';
import type { Person, State, Steps } from './answers.js';
import { fromClient, list, meet, type Listing } from './from-client.js';
import { fromEvent, shown } from './from-event.js';

/** An image of 1 MB in base64, and what stands around it. */
const FRAME_BYTES = 1_500_000;
/** Pages of members that are read for one listing. */
const PAGES = 10;

/** The program simple chat: rooms, people by name, and images, all under the event `chat`. */
export const simpleChat: Dialect<State> = {
  name: 'simple-chat',
  frameBytes: FRAME_BYTES,
  hasNames: true,

  declares: ({ event }) => event === 'chat',
  begin: () => ({ joined: new Map() }),
  fromClient,
  fromEvent,
  fromReply,
  refuse: ({ message }) => refusal(message),
};

function fromReply({ to, outcome }: Answer, person: Person, around: Surroundings): Steps {
  if (!outcome.ok) return [];
  const { note, after = 0 } = to;
  if (to.ask === 'room.join') {
    const cut = outcome.data as ReplyData<'room.join'>;
    return cut.info.kind === 'direct'
      ? missed(cut, after, person, around)
      : joined(cut, note, person);
  }
  if (to.ask === 'room.members') {
    const page = outcome.data as ReplyData<'room.members'>;
    return readMembers(String(to.data['room']), page, note as Listing);
  }
  if (to.ask === 'room.leave') person.state.joined.delete(String(to.data['room']));
  if (to.ask !== 'dm.open') return [];
  const direct = outcome.data as ReplyData<'dm.open'>;
  if (note === undefined) return missed(direct, after, person, around);
  return [send(direct.room, (note as { text: string }).text)];
}

/** Whoever opened a direct room may have written in it already. */
function missed(
  { messages }: RoomCut,
  after: number,
  { user }: Person,
  around: Surroundings,
): Steps {
  const ofOther = messages.filter(({ seq, sender }) => seq > after && sender.id !== user?.id);
  return ofOther.flatMap((message) => shown(message, around));
}

/** The public room is also joined without having been asked for: then there is no name for it. */
function joined({ room }: RoomCut, typed: unknown, { state, user }: Person): Steps {
  if (typeof typed !== 'string') return [];
  state.joined.set(room, typed);
  return [{ emit: 'chat', data: came(user?.name ?? '', typed) }];
}

function readMembers(room: string, page: ReplyData<'room.members'>, listing: Listing): Steps {
  const members = [...listing.members, ...page.members];
  if (page.next !== undefined && listing.page < PAGES) {
    return [list(room, { ...listing, members, page: listing.page + 1 }, page.next)];
  }
  const inOrder = members.toSorted((one, other) => one.joinedAt - other.joinedAt);
  if (listing.person === undefined) return [listed(inOrder.map(({ user }) => user.name))];
  const { name, text } = listing.person;
  const found = inOrder.find(({ user }) => isSameName(user.name, name));
  return found === undefined ? [refusal(`There is no ${name}.`)] : meet(found.user.id, text);
}
