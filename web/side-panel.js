import { byId, makeElement } from './make-element.js';
import { hueOf, initialOf } from './message-element.js';

const SHOWN_PEOPLE = 100;
const NARROW = '(max-width: 52rem)';

/** Shows who is here, one's own name, and the rooms. */
export class SidePanel {
  #room;
  #me;
  #scheduled = false;

  /** `me` gives the own user; `actions` does what is asked for. */
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
      actions.rename(byId('name').value);
    });
    byId('room-form').addEventListener('submit', (event) => {
      event.preventDefault();
      actions.openRoom(byId('room').value.trim());
    });
  }

  /** Shows people anew, once for all that changes in one go. */
  showPeople() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#renderPeople();
    });
  }

  /** Shows the own name, unless it is just being typed. */
  showName(name) {
    const field = byId('name');
    if (document.activeElement !== field) field.value = name;
  }

  /** Shows the public rooms as links. */
  showRooms(rooms, current) {
    const items = rooms.map(({ id, title }) => {
      const link = makeElement('a', { href: roomUrl(id), dir: 'auto' }, title);
      if (id === current) link.setAttribute('aria-current', 'page');
      return makeElement('li', {}, link);
    });
    byId('rooms').replaceChildren(...items);
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

/** Gives the address of this page for a room. */
export function roomUrl(id) {
  return `?room=${encodeURIComponent(id)}`;
}
