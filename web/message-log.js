import { byId, makeElement } from './make-element.js';
import { MessageElement } from './message-element.js';

/** How far from the end still counts as being at the end, in pixels. */
const NEAR_END = 60;

/** Shows the messages of a room and those that wait to be sent. */
export class MessageLog {
  #log = byId('log');
  #list = byId('messages');
  #unsent = byId('unsent');
  #older = byId('older');
  #newest = byId('newest');
  #empty = byId('empty');
  #elements = new Map();
  #room;
  #actions;
  #atEnd = true;

  /** `actions` does what the buttons ask for, and tells who looks on. */
  constructor(room, actions) {
    this.#room = room;
    this.#actions = actions;
    this.#older.addEventListener('click', () => actions.loadOlder());
    this.#newest.addEventListener('click', () => this.scrollToEnd());
    this.#log.addEventListener('scroll', () => this.#noteScroll(), { passive: true });
    new ResizeObserver(() => this.#stick()).observe(this.#log);
  }

  /** Tells whether the latest messages are in sight. */
  get isAtEnd() {
    return this.#atEnd;
  }

  /** Shows all messages anew. */
  reset() {
    this.#quietly(() => {
      this.#list.replaceChildren();
      this.#elements.clear();
      this.added(0, this.#room.messages.length);
    });
    this.scrollToEnd();
  }

  /** Shows messages that came into the list. */
  added(index, count) {
    const { messages } = this.#room;
    const isLast = index + count === messages.length;
    const added = messages.slice(index, index + count).map((message) => this.#make(message));
    const next = messages[index + count];
    const before = next === undefined ? null : this.#elements.get(next.id).root;
    if (isLast) this.#insert(added, before);
    else this.#keepingPlace(() => this.#insert(added, before));
    for (let i = index; i <= index + count; i++) this.#arrange(i);
    this.#showEdges();
    if (isLast && count > 0) this.#follow();
  }

  /** Shows a message as it is now. */
  changed(message) {
    this.#elements.get(message.id)?.show(message);
    this.#stick();
  }

  /** Forgets messages that are no longer kept. */
  dropped(messages) {
    this.#keepingPlace(() => {
      for (const { id } of messages) {
        this.#elements.get(id)?.root.remove();
        this.#elements.delete(id);
      }
    });
    this.#arrange(0);
    this.#showEdges();
  }

  /** Shows what waits to be sent. */
  showUnsent(items) {
    this.#unsent.replaceChildren(...items.map((item) => this.#makeUnsent(item)));
    this.#showEdges();
    this.#stick();
  }

  /** Goes to the latest message. */
  scrollToEnd() {
    this.#atEnd = true;
    this.#newest.hidden = true;
    this.#stick();
  }

  #make(message) {
    const element = new MessageElement(message, this.#room, this.#actions);
    this.#elements.set(message.id, element);
    return element;
  }

  #insert(elements, before) {
    const fragment = document.createDocumentFragment();
    fragment.append(...elements.map(({ root }) => root));
    this.#list.insertBefore(fragment, before);
  }

  /** A message follows another closely, or begins a new day. */
  #arrange(index) {
    const message = this.#room.messages[index];
    if (message === undefined) return;
    this.#elements.get(message.id)?.arrange(this.#room.messages[index - 1]);
  }

  #makeUnsent(item) {
    const failed = item.state === 'failed';
    const state = makeElement('p', { class: 'state' }, failed ? item.why : 'Sending…');
    if (failed) {
      const button = (label, onclick) =>
        makeElement('button', { type: 'button', class: 'plain', onclick }, label);
      state.append(
        button('Send again', () => this.#actions.retry(item)),
        button('Discard', () => this.#actions.discard(item)),
      );
    }
    const text = makeElement('p', { class: 'text', dir: 'auto' }, item.text);
    return makeElement('div', { class: failed ? 'unsent failed' : 'unsent' }, text, state);
  }

  #showEdges() {
    const { messages, hasMore } = this.#room;
    this.#older.hidden = !hasMore;
    this.#empty.hidden = messages.length > 0 || this.#unsent.childElementCount > 0;
  }

  #follow() {
    if (this.#atEnd) {
      this.#stick();
      this.#room.trim();
    } else {
      this.#newest.hidden = false;
    }
  }

  #stick() {
    if (this.#atEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.#atEnd) this.#newest.hidden = true;
  }

  /** What stands in sight stays in sight when something changes above it. */
  #keepingPlace(change) {
    this.#quietly(() => {
      const { scrollHeight, scrollTop } = this.#log;
      change();
      this.#log.scrollTop = scrollTop + this.#log.scrollHeight - scrollHeight;
    });
  }

  /** Old messages are not read out as if they had just come. */
  #quietly(change) {
    this.#log.setAttribute('aria-busy', 'true');
    change();
    this.#log.setAttribute('aria-busy', 'false');
  }
}
