import { CommandError, connect, ConnectionError, RoomState } from 'parlance-client';

import { offerGuests } from './guest-choice.js';
import { Guest } from './guest.js';
import { byId } from './make-element.js';
import { MessageLog } from './message-log.js';
import { explainOutage } from './outage.js';
import { suggestRoomName } from './room-name.js';
import { saveFile } from './save-file.js';
import { roomUrl, SidePanel } from './side-panel.js';
import { StatusBar } from './status-bar.js';
import { Typing } from './typing.js';
import { Writing } from './writing.js';

const DEFAULT_ROOM = 'general';
const HISTORY_PAGE = 50;
const LISTED_ROOMS = 50;
const RETRY_MS = 3_000;
const OWN_LOG = '@me';
const LOST = 'The connection was lost.';

/** The page: one user in one room, shown and kept up to date. */
class Page {
  #client;
  #user = null;
  /** The client that is joining the room at this moment; null if none is. */
  #entering = null;
  /** Whether the events of the room arrive. */
  #isInRoom = false;
  /** Failed attempts to connect since the latest session. */
  #failures = 0;

  /** `roomName` is as a person typed it, until the first cut returns the id of the room. */
  constructor(roomName) {
    this.roomName = roomName;
    this.guest = new Guest(
      () => this.#user?.id ?? null,
      () => this.#connect(),
    );
    this.typing = new Typing((...parts) => byId('typing').replaceChildren(...parts));
    this.status = new StatusBar(() => this.#connectNow());
    this.status.showTitle(roomName);
    this.room = new RoomState({
      reset: () => this.log.reset(),
      messagesAdded: (index, count) => this.log.added(index, count),
      messageChanged: (message) => this.log.changed(message),
      messagesDropped: (messages) => this.log.dropped(messages),
      membersChanged: () => this.side.showPeople(),
      infoChanged: () => this.status.showTitle(this.room.info.title),
    });
    this.log = new MessageLog(this.room, this.#messageActions());
    this.side = new SidePanel(this.room, () => this.#user, {
      rename: (name) => this.#rename(name),
      openRoom: (name) => this.#openRoom(name),
    });
    this.side.showName(this.guest.name ?? '');
    offerGuests();
    this.writing = new Writing(roomName, this.room, this.#writingActions());
    addEventListener('online', () => this.#client.reconnectNow());
    this.#connect();
  }

  // The connection

  /** Connects as the stored guest; a client of another guest is closed. */
  #connect() {
    void this.#client?.close();
    this.guest.reset();
    this.#isInRoom = false;
    this.#showStatus({ name: 'connecting' });
    const { guest } = this;
    const client = connect({
      url: new URL('.', location.href).href,
      hello: {
        client: { name: 'parlance-page' },
        // Read before each hello: a guest whose token is refused keeps its latest name.
        get name() {
          return guest.name ?? undefined;
        },
      },
      token: () => guest.findToken(),
      onToken: (token) => guest.keepToken(token),
      refusedToken: 'new-guest',
    });
    this.#client = client;
    const whileCurrent = (handle) => (data) => {
      if (client === this.#client) handle(data);
    };
    client.on(
      'status',
      whileCurrent((status) => this.#showStatus(status)),
    );
    client.on(
      'event',
      whileCurrent((event) => this.#receive(event)),
    );
    client.on(
      'gap',
      whileCurrent((gap) => this.#fillGap(gap)),
    );
    client.on(
      'error',
      whileCurrent((error) => this.#showError(error)),
    );
  }

  /** Connects without waiting for the time that is shown. */
  #connectNow() {
    if (this.#client.status.name === 'closed') this.#connect();
    else this.#client.reconnectNow();
  }

  /**
   * Sends a command of a person; resolves to the data of its reply.
   *
   * It fails at once while there is no connection, so that the person does not wait for it.
   */
  async #call(cmd, data = {}) {
    if (this.#client.status.name !== 'open') throw new Error(LOST);
    try {
      return await this.#client.call(cmd, data);
    } catch (error) {
      throw error instanceof ConnectionError ? new Error(LOST, { cause: error }) : error;
    }
  }

  #showStatus(status) {
    this.status.showPhase(status);
    if (status.name === 'open') {
      this.#failures = 0;
      this.status.showOutage('');
      this.#welcome(status.welcome);
      return;
    }
    if (status.name === 'waiting') this.status.showOutage(explainOutage(status, ++this.#failures));
    this.guest.release();
    this.writing.pause();
    this.typing.clear();
  }

  #showError(error) {
    if (error instanceof CommandError) this.status.notice(error.message);
    else reportError(error);
  }

  #welcome({ user, token, limits, server, resumed }) {
    if (!this.guest.welcome(user, token)) {
      this.#connect();
      return;
    }
    const isAnother = this.#user !== null && this.#user.id !== user.id;
    this.#setUser(user);
    this.writing.setLimits(limits);
    byId('server').textContent = `${server.name} ${server.version}`;
    void this.#attempt(() => this.#listRooms());
    if (isAnother) this.#isInRoom = false;
    const { complete = false, reason = 'behind' } = resumed[this.roomName] ?? {};
    if (!this.#isInRoom) void this.#enter();
    // For other reasons a gap follows.
    else if (complete || reason === 'behind') {
      this.#showEntered(this.roomName);
      this.#refreshPresence().catch(() => undefined);
    }
  }

  // The room

  /** Joins the room; tries again later if the server cannot do it now. */
  async #enter() {
    const client = this.#client;
    if (this.#entering === client) return;
    this.#entering = client;
    const asked = this.roomName;
    try {
      const join = { room: asked, create: true };
      const cut = await client.call('room.join', join, { timeoutMs: Infinity });
      if (client === this.#client) this.#reset(cut, asked);
    } catch (error) {
      // When a client has ended, the next one enters the room.
      if (client !== this.#client || error instanceof ConnectionError) return;
      if (!error.retryable) {
        this.#cannotEnter(error);
        return;
      }
      this.status.notice(error.message);
      setTimeout(() => client === this.#client && this.#enter(), error.retryAfterMs ?? RETRY_MS);
    } finally {
      if (this.#entering === client) this.#entering = null;
    }
  }

  #reset(cut, asked = this.roomName) {
    this.roomName = cut.room;
    this.room.reset(cut);
    this.#isInRoom = true;
    if (cut.room !== asked) history.replaceState(null, '', roomUrl(cut.room));
    this.#showEntered(asked);
  }

  #showEntered(asked) {
    this.status.notice('');
    this.writing.enter(this.#user.id, asked, this.roomName);
  }

  /** Continues after events that the server no longer has (P-5.11, P-5.12). */
  #fillGap({ room, cut }) {
    if (room !== this.roomName) return;
    if (cut !== undefined) {
      this.#reset(cut);
      return;
    }
    this.#isInRoom = false;
    void this.#enter();
  }

  /** Replayed events do not say who is online now; a cut does. */
  async #refreshPresence() {
    const { presence } = await this.#call('room.sync', { room: this.roomName });
    this.room.setPresence(presence);
  }

  /** Shows why the room cannot be opened, and suggests a valid name. */
  #cannotEnter(error) {
    const reason = reasonOf(error);
    this.writing.refuse(this.#user.id, reason);
    const suggested = error.code === 'invalid' ? suggestRoomName(this.roomName) : null;
    if (suggested === null) this.status.notice(reason);
    else {
      this.status.notice(reason, `Open ${suggested}`, () => location.assign(roomUrl(suggested)));
    }
  }

  async #listRooms() {
    const { rooms } = await this.#call('room.list', { limit: LISTED_ROOMS });
    this.side.showRooms(rooms, this.roomName);
  }

  // Events

  #receive({ event, data }) {
    if (data?.room === OWN_LOG) {
      // The name may have been changed in another tab or on another device (P-5.14).
      if (event === 'user.updated') this.#setUser(data.user);
    } else if (data?.room !== undefined && data.room === this.room.info?.id) {
      const applied = this.room.apply({ event, data });
      if (event === 'typing') this.typing.apply(data, this.#user.id);
      else if (applied === 'applied') this.#react(event, data);
      else if (applied === 'missing') void this.#enter();
    }
  }

  #react(event, data) {
    if (event === 'message.created') {
      const { sender, cid } = data.message;
      this.typing.end(sender.id);
      if (sender.id === this.#user.id) this.writing.drop(cid);
      else this.status.countUnread();
    } else if (event === 'member.left') {
      this.typing.end(data.user.id);
      if (data.user.id !== this.#user.id) return;
      this.#isInRoom = false;
      this.writing.close();
      this.status.notice('You have left this room.', 'Return', () => location.reload());
    }
  }

  // Actions of a person

  #writingActions() {
    return {
      call: (cmd, data) => this.#call(cmd, data),
      // A message waits for a connection for as long as the page is open.
      send: (message) => this.#client.send(message, { timeoutMs: Infinity }),
      commands: (room) => this.#client.call('bot.commands', { room }, { timeoutMs: Infinity }),
      notice: (...parts) => this.status.notice(...parts),
      scrollToEnd: () => this.log.scrollToEnd(),
      showUnsent: (items) => this.log.showUnsent(items),
      showUnsentElsewhere: (items) => this.side.showUnsent(items),
    };
  }

  #messageActions() {
    return {
      me: () => this.#user?.id,
      mayDelete: ({ sender }) => [sender.id, this.room.info.owner].includes(this.#user.id),
      loadOlder: () => void this.#attempt(() => this.#loadOlder()),
      edit: (message, text) => this.#attempt(() => this.#change('message.edit', message, { text })),
      remove: (message) => {
        if (!confirm('Delete this message for everyone?')) return;
        void this.#attempt(() => this.#change('message.delete', message));
      },
      react: (message, emoji, isSet) => {
        const command = isSet ? 'message.react' : 'message.unreact';
        void this.#attempt(() => this.#change(command, message, { emoji }));
      },
      save: (file) => void this.#attempt(() => saveFile(this.#client, file)),
      retry: (item) => this.writing.retry(item),
      reveal: (part) => this.log.reveal(part),
      discard: (item) => this.writing.drop(item.cid),
    };
  }

  /** Opens a room, unless no room can have the name. */
  async #openRoom(room) {
    try {
      await this.#call('room.get', { room });
    } catch (error) {
      // A room that does not exist is created when it is opened.
      if (error.code === 'invalid') throw error;
    }
    location.assign(roomUrl(room));
  }

  async #loadOlder() {
    const [first] = this.room.messages;
    const bound = first === undefined ? {} : { before: first.seq };
    const { messages, hasMore } = await this.#call('message.history', {
      room: this.roomName,
      limit: HISTORY_PAGE,
      ...bound,
    });
    this.room.prepend(messages, hasMore);
  }

  /** Changes a message; its event shows the change. */
  #change(command, { id: message }, more = {}) {
    return this.#call(command, { room: this.roomName, message, ...more });
  }

  async #rename(name) {
    const { user } = await this.#call('user.update', { name });
    byId('name').blur();
    this.#setUser(user);
  }

  #setUser(user) {
    this.#user = user;
    this.guest.update(user.id, { name: user.name });
    this.side.showName(user.name);
    this.side.showPeople();
  }

  /** Runs an action and shows why it failed, if it did; resolves to whether it succeeded. */
  async #attempt(action) {
    try {
      await action();
      return true;
    } catch (error) {
      this.status.notice(error.message);
      return false;
    }
  }
}

/** Returns the reason of a refusal; for data that is not valid, what is wrong with it. */
function reasonOf({ message, details }) {
  return details?.issues?.[0]?.message ?? message;
}

new Page(new URLSearchParams(location.search).get('room') ?? DEFAULT_ROOM);
