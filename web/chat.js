import { Composer } from './composer.js';
import { Connection, verdictOf } from './connection.js';
import { byId } from './make-element.js';
import { MessageLog } from './message-log.js';
import { Outbox } from './outbox.js';
import { RoomFeed } from './room-feed.js';
import { LogPosition, RoomState } from './room-state.js';
import { saveFile } from './save-file.js';
import { roomUrl, SidePanel } from './side-panel.js';
import { StatusBar } from './status-bar.js';
import { recall, remember } from './tab-memory.js';
import { Typing } from './typing.js';

const DEFAULT_ROOM = 'general';
const HISTORY_PAGE = 50;
const LISTED_ROOMS = 50;
const RETRY_MS = 3_000;
const OWN_LOG = '@me';

/** The page: one session in one room, shown and kept up to date. */
class Chat {
  #user = null;
  #own = null;
  /** Id of the session; null while there is none. */
  #session = null;

  constructor(roomName) {
    this.typing = new Typing((line) => {
      byId('typing').textContent = line;
    });
    this.status = new StatusBar(() => this.connection.open());
    this.status.showTitle(roomName);
    this.room = new RoomState({
      reset: () => this.log.reset(),
      added: (index, count) => this.log.added(index, count),
      changed: (message) => this.log.changed(message),
      dropped: (messages) => this.log.dropped(messages),
      people: () => this.side.showPeople(),
      info: () => this.status.showTitle(this.room.info.title),
    });
    this.log = new MessageLog(this.room, this.#messageActions());
    this.side = new SidePanel(this.room, () => this.#user, {
      rename: (name) => void this.#attempt(() => this.#rename(name)),
      openRoom: (name) => location.assign(roomUrl(name)),
    });
    this.connection = this.#makeConnection();
    this.feed = new RoomFeed(roomName, this.room, this.connection, (name, data) =>
      this.#taken(name, data),
    );
    this.outbox = new Outbox(
      (item) => this.#send(item),
      (items) => this.log.showUnsent(items),
    );
    this.composer = this.#makeComposer();
    addEventListener('online', () => this.connection.open());
  }

  #makeConnection() {
    return new Connection(socketUrl(), {
      hello: () => this.#hello(),
      refused: (error) => this.#forgetToken(error.code),
      phase: (phase) => this.#phase(phase),
      welcome: (welcome) => this.#welcomed(welcome),
      event: (name, data) => this.#event(name, data),
    });
  }

  #makeComposer() {
    return new Composer({
      send: (text) => {
        this.status.notice('');
        this.log.scrollToEnd();
        this.outbox.add(this.feed.name, text);
      },
      typing: (active) => this.connection.tell('typing.set', { room: this.feed.name, active }),
    });
  }

  // The session

  #hello() {
    const token = recall('token');
    const name = recall('name');
    return {
      protocol: 1,
      heartbeat: 'frames',
      client: { name: 'parlance-page' },
      ...(token === null ? {} : { token, resume: this.feed.positions }),
      ...(token === null && name !== null ? { name } : {}),
    };
  }

  /** Forgets a token that is worth nothing; true if hello may be said again without it. */
  #forgetToken(code) {
    if (code !== 'token_invalid' && code !== 'token_expired') return false;
    if (recall('token') === null) return false;
    remember('token', null);
    return true;
  }

  #phase(phase) {
    if (verdictOf(phase.code ?? 0) === 'new credentials') remember('token', null);
    this.status.showPhase(phase);
    if (phase.name === 'open') return;
    this.#session = null;
    this.outbox.pause();
    this.typing.clear();
  }

  #welcomed({ session, user, token, me, limits, server, resumed }) {
    this.#session = session;
    if (this.#user !== null && this.#user.id !== user.id) this.outbox.doubt();
    this.#setUser(user);
    // The welcome has the own name, which is all that the own log tells: no need to resume it.
    this.#own = new LogPosition(me);
    if (token !== undefined) remember('token', token);
    this.composer.setLimits(limits);
    byId('server').textContent = `${server.name} ${server.version}`;
    void this.#enter(session, resumed[this.feed.name]);
  }

  /** Enters the room; tries again later if the server cannot do it now. */
  async #enter(session, resumed) {
    try {
      await this.feed.enter(resumed);
      this.status.notice('');
      this.outbox.resume();
      const { rooms } = await this.connection.command('room.list', { limit: LISTED_ROOMS });
      this.side.showRooms(rooms, this.feed.name);
    } catch (error) {
      if (session !== this.#session) return;
      this.status.notice(error.message);
      const again = () => session === this.#session && this.#enter(session);
      if (error.retryable) setTimeout(again, error.retryAfterMs ?? RETRY_MS);
    }
  }

  async #refreshToken() {
    const { token } = await this.connection.command('auth.refresh');
    remember('token', token);
  }

  // Events

  #event(name, data) {
    if (name === 'typing') this.typing.apply(data);
    else if (name === 'presence') this.room.applyPresence(data);
    else if (name === 'auth.expiring') void this.#attempt(() => this.#refreshToken());
    else if (name === 'error') this.status.notice(data.error.message);
    else if (data?.room === OWN_LOG) this.#ownEvent(name, data);
    else if (data?.seq !== undefined) void this.#attempt(() => this.feed.logged(name, data));
  }

  /** The own log tells of the own name, also when it was changed elsewhere (P-5.14). */
  #ownEvent(name, data) {
    if (this.#own.judge(data) === 'old') return;
    // A gap loses nothing here: each event has the whole of the name.
    this.#own.seq = data.seq;
    if (name === 'user.updated') this.#setUser(data.user);
  }

  #taken(name, data) {
    if (name === 'message.created') {
      const { sender, cid } = data.message;
      this.typing.end(sender.id);
      if (sender.id === this.#user.id) this.outbox.remove(cid);
      else this.status.countUnread();
    } else if (name === 'member.left') {
      this.typing.end(data.user.id);
      if (data.user.id !== this.#user.id) return;
      this.status.notice('You have left this room. Reload the page to return.');
    }
  }

  // What people do

  #messageActions() {
    return {
      me: () => this.#user?.id,
      mayDelete: ({ sender }) => [sender.id, this.room.info.owner].includes(this.#user.id),
      loadOlder: () => void this.#attempt(() => this.#loadOlder()),
      edit: (message, text) => this.#attempt(() => this.#change('message.edit', message, { text })),
      remove: (message) => {
        if (!confirm('Delete this message for everybody?')) return;
        void this.#attempt(() => this.#change('message.delete', message));
      },
      react: (message, emoji, set) => {
        const command = set ? 'message.react' : 'message.unreact';
        void this.#attempt(() => this.#change(command, message, { emoji }));
      },
      save: (file) => void this.#attempt(() => saveFile(file, recall('token'))),
      retry: (item) => this.outbox.retry(item),
      discard: (item) => this.outbox.remove(item.cid),
    };
  }

  async #send({ room, text, cid }) {
    const { message } = await this.connection.command('message.send', { room, text, cid });
    this.room.addSent(message);
  }

  async #loadOlder() {
    const [first] = this.room.messages;
    const bound = first === undefined ? {} : { before: first.seq };
    const { messages, hasMore } = await this.connection.command('message.history', {
      room: this.feed.name,
      limit: HISTORY_PAGE,
      ...bound,
    });
    this.room.prepend(messages, hasMore);
  }

  /** Changes a message; its event shows the change. */
  #change(command, { id: message }, more = {}) {
    return this.connection.command(command, { room: this.feed.name, message, ...more });
  }

  async #rename(name) {
    const { user } = await this.connection.command('user.update', { name });
    byId('name').blur();
    this.#setUser(user);
  }

  #setUser(user) {
    this.#user = user;
    remember('name', user.name);
    this.side.showName(user.name);
    this.side.showPeople();
  }

  /** Does something that may fail, and says why if it does; tells whether it was done. */
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

function socketUrl() {
  const url = new URL('ws', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = '';
  url.hash = '';
  return url;
}

const roomName = new URLSearchParams(location.search).get('room') ?? DEFAULT_ROOM;
new Chat(roomName).connection.open();
