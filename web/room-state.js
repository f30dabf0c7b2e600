/** Longest run of messages that is kept before older ones are let go. */
const MOST_MESSAGES = 600;
const KEPT_MESSAGES = 400;

/** A position in a log, and the rule by which its events are taken (P-5.10). */
export class LogPosition {
  constructor({ epoch, seq }) {
    this.epoch = epoch;
    this.seq = seq;
  }

  /** Judges an event: the `next` one, an `old` one, or one after a `gap`. */
  judge({ seq, prev }) {
    if (this.seq === (prev ?? seq - 1)) return 'next';
    return seq <= this.seq ? 'old' : 'gap';
  }
}

/**
 * A room as this page knows it: a cut, and the events of the log since (P-5.5, P-5.9).
 *
 * The observer is told what changed: `reset`, `added`, `changed`, `dropped`, `people`, `info`.
 */
export class RoomState {
  position = null;
  info = null;
  members = new Map();
  /** In the order of their seq. */
  messages = [];
  hasMore = false;
  /** Ids of who is online; null where the room is too large to name them. */
  online = new Set();
  onlineCount = 0;
  #observer;
  #messagesById = new Map();

  constructor(observer) {
    this.#observer = observer;
  }

  /** Begins anew from a cut. */
  reset({ epoch, seq, info, members, messages, hasMore, presence }) {
    this.position = new LogPosition({ epoch, seq });
    this.info = info;
    this.members = new Map(members.map((member) => [member.user.id, member]));
    this.messages = [...messages];
    this.#messagesById = new Map(messages.map((message) => [message.id, message]));
    this.hasMore = hasMore;
    this.setPresence(presence);
    this.#observer.reset();
    this.#observer.info();
  }

  /** Takes an event of the log if it is the next one; gives the judgement. */
  take(event, data) {
    const judgement = this.position.judge(data);
    if (judgement !== 'next') return judgement;
    this.position.seq = data.seq;
    this.#fold(event, data);
    return judgement;
  }

  /** Finds a message that is shown. */
  find(id) {
    return this.#messagesById.get(id);
  }

  /** Adds the messages before those that are shown. */
  prepend(messages, hasMore) {
    const older = messages.filter(({ id }) => !this.#messagesById.has(id));
    for (const message of older) this.#messagesById.set(message.id, message);
    this.messages.unshift(...older);
    this.hasMore = hasMore;
    this.#observer.added(0, older.length);
  }

  /** Takes in a message from a reply; its event may come before or after. */
  addSent(message) {
    if (!this.#messagesById.has(message.id)) this.#insert(message);
  }

  /** Takes who is online from a cut. */
  setPresence({ online, count }) {
    this.online = online === undefined ? null : new Set(online);
    this.onlineCount = count;
    this.#observer.people();
  }

  /** Takes in who came and who went (P-7.3). */
  applyPresence({ online, offline, count }) {
    // Above 100 members only the count comes; names come again with the next cut.
    if (online === undefined && offline === undefined) this.online = null;
    for (const id of online ?? []) this.online?.add(id);
    for (const id of offline ?? []) this.online?.delete(id);
    this.onlineCount = count;
    this.#observer.people();
  }

  /** Lets the oldest messages go if there are very many; history has them. */
  trim() {
    if (this.messages.length <= MOST_MESSAGES) return;
    const dropped = this.messages.splice(0, this.messages.length - KEPT_MESSAGES);
    for (const { id } of dropped) this.#messagesById.delete(id);
    this.hasMore = true;
    this.#observer.dropped(dropped);
  }

  #fold(event, data) {
    switch (event) {
      case 'message.created':
        if (this.#messagesById.has(data.message.id)) this.#replace(data.message);
        else this.#insert(data.message);
        break;
      case 'message.edited':
      case 'message.deleted':
        this.#replace(data.message);
        break;
      case 'reaction.added':
      case 'reaction.removed':
        this.#react(data, event === 'reaction.added');
        break;
      case 'member.joined':
        this.members.set(data.member.user.id, data.member);
        this.#setMemberCount(data.memberCount);
        break;
      case 'member.left':
        this.members.delete(data.user.id);
        this.online?.delete(data.user.id);
        this.#setMemberCount(data.memberCount);
        break;
      case 'user.updated':
        this.#rename(data.user);
        break;
      case 'room.updated':
        this.info = data.info;
        this.#observer.info();
        break;
    }
  }

  #insert(message) {
    let index = this.messages.length;
    while (index > 0 && this.messages[index - 1].seq > message.seq) index--;
    // What is older than all that is shown comes with history, or not at all.
    if (index === 0 && this.messages.length > 0) return;
    this.messages.splice(index, 0, message);
    this.#messagesById.set(message.id, message);
    this.#observer.added(index, 1);
  }

  #replace(message) {
    const index = this.messages.findLastIndex(({ id }) => id === message.id);
    if (index === -1) return;
    this.messages[index] = message;
    this.#messagesById.set(message.id, message);
    this.#observer.changed(message, index);
  }

  #react({ message: id, emoji, user }, added) {
    const message = this.find(id);
    if (message === undefined || message.deletedAt !== undefined) return;
    this.#replace({ ...message, reactions: withReaction(message.reactions, emoji, user, added) });
  }

  #rename(user) {
    const member = this.members.get(user.id);
    if (member !== undefined) this.members.set(user.id, { ...member, user });
    for (const [index, message] of this.messages.entries()) {
      if (message.sender.id !== user.id) continue;
      const renamed = { ...message, sender: user };
      this.messages[index] = renamed;
      this.#messagesById.set(renamed.id, renamed);
      this.#observer.changed(renamed, index);
    }
    this.#observer.people();
  }

  #setMemberCount(memberCount) {
    this.info = { ...this.info, memberCount };
    this.#observer.people();
  }
}

/** Reactions are sets, in an order to which replayed events lead as well as live ones (P-5.9). */
function withReaction(reactions, emoji, user, added) {
  const before = reactions.find((reaction) => reaction.emoji === emoji)?.users ?? [];
  const left = before.filter((id) => id !== user);
  const users = added ? [...left, user] : left;
  const others = reactions.filter((reaction) => reaction.emoji !== emoji);
  if (users.length === 0) return others;
  return [...others, { emoji, users }].sort((a, b) => compareCodePoints(a.emoji, b.emoji));
}

/** The strings of JavaScript have another order: that of UTF-16. */
function compareCodePoints(a, b) {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((char, index) => char !== right[index]);
  if (at === -1) return left.length - right.length;
  return left[at].codePointAt(0) - (right[at]?.codePointAt(0) ?? -1);
}
