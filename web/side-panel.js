import { byId, makeElement } from './make-element.js';
import { hueOf, initialOf } from './message-element.js';
import { suggestRoomName } from './room-name.js';

const SHOWN_PEOPLE = 100;
const NARROW = '(max-width: 52rem)';

/** Shows the people in the room, the own name, and the rooms. */
export class SidePanel {
  #room;
  #me;
  #scheduled = false;
  #rooms = [];
  #currentRoom = null;
  #unsent = [];

  /** `me` returns the own user; `actions` has the callbacks of the forms, which throw on failure. */
  constructor(room, me, actions) {
    this.#room = room;
    this.#me = me;
    const narrow = matchMedia(NARROW);
    const fit = () => {
      byId('side').open = !narrow.matches;
    };
    fit();
    narrow.addEventListener('change', fit);
    byId('name-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit('name', actions.rename);
    });
    byId('room-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit('room', actions.openRoom);
    });
    for (const id of ['name', 'room']) {
      byId(id).addEventListener('input', () => this.#showError(id));
    }
  }

  /** Renders the people again, once for all changes of one turn. */
  showPeople() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#renderPeople();
    });
  }

  /** Shows the own name, unless the person is editing it. */
  showName(name) {
    const field = byId('name');
    if (document.activeElement !== field) field.value = name;
  }

  /** Shows the public rooms as links. */
  showRooms(rooms, current) {
    this.#rooms = rooms;
    this.#currentRoom = current;
    this.#renderRooms();
  }

  /** Marks the other rooms that have unsent messages. */
  showUnsent(items) {
    this.#unsent = items.map(({ room }) => room);
    this.#renderRooms();
  }

  #renderRooms() {
    const listed = this.#rooms.map(({ id }) => id);
    const more = new Set(this.#unsent.filter((id) => !listed.includes(id)));
    const rooms = [...this.#rooms, ...[...more].map((id) => ({ id, title: id }))];
    byId('rooms').replaceChildren(...rooms.map((room) => this.#roomItem(room)));
  }

  #roomItem({ id, title }) {
    const link = makeElement('a', { href: roomUrl(id), dir: 'auto' }, title);
    if (id === this.#currentRoom) link.setAttribute('aria-current', 'page');
    const count = this.#unsent.filter((room) => room === id).length;
    const note = count === 0 ? null : makeElement('small', {}, `${String(count)} not sent`);
    return makeElement('li', {}, link, note);
  }

  /** Runs the action of a form; shows an error at its field. */
  async #submit(id, action) {
    this.#showError(id);
    try {
      await action(byId(id).value.trim());
    } catch (error) {
      const reason = error.details?.issues?.[0]?.message ?? error.message;
      const name = id === 'room' ? suggestRoomName(byId(id).value) : null;
      this.#showError(id, reason, name);
    }
  }

  #showError(id, reason = '', suggested = null) {
    const parts = [reason];
    if (suggested !== null) {
      const onclick = () => {
        byId(id).value = suggested;
        byId(`${id}-form`).requestSubmit();
      };
      const properties = { type: 'button', class: 'plain', onclick };
      parts.push(
        ' ',
        makeElement('button', properties, 'Open ', makeElement('bdi', {}, suggested)),
      );
    }
    byId(`${id}-error`).replaceChildren(...parts);
    byId(`${id}-error`).hidden = reason === '';
    byId(id).setAttribute('aria-invalid', String(reason !== ''));
    if (reason !== '') byId(`${id}-error`).scrollIntoView({ block: 'nearest' });
  }

  #renderPeople() {
    const { members, online, onlineCount, info } = this.#room;
    const isHere = ({ user }) => online === null || online.has(user.id);
    const sorted = [...members.values()].sort((a, b) => a.user.name.localeCompare(b.user.name));
    const here = sorted.filter(isHere).slice(0, SHOWN_PEOPLE);
    const away = sorted.filter((member) => !isHere(member)).slice(0, SHOWN_PEOPLE);
    byId('people').replaceChildren(...here.map((member) => this.#person(member)));
    byId('away-people').replaceChildren(...away.map((member) => this.#person(member)));
    byId('people-count').textContent = String(onlineCount);
    const awayCount = (info?.memberCount ?? 0) - onlineCount;
    byId('away').hidden = awayCount <= 0;
    byId('away-count').textContent = `${String(awayCount)} away`;
  }

  #person({ user, role }) {
    const notes = [
      ...(user.id === this.#me()?.id ? ['you'] : []),
      ...(role === 'owner' ? ['owner'] : []),
      ...(user.kind === 'bot' ? ['bot'] : []),
    ];
    const avatar = makeElement('span', { class: 'avatar', aria: { hidden: 'true' } });
    avatar.textContent = initialOf(user.name);
    avatar.style.setProperty('--hue', String(hueOf(user.id)));
    return makeElement(
      'li',
      {},
      avatar,
      makeElement('span', { class: 'name', dir: 'auto' }, user.name),
      notes.length > 0 ? makeElement('small', {}, notes.join(', ')) : null,
    );
  }
}

/** Returns the address of the page for a room. */
export function roomUrl(id) {
  return `?room=${encodeURIComponent(id)}`;
}
