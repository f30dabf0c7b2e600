import { byId, makeElement } from './make-element.js';
import { MessageElement } from './message-element.js';
import { ReadingPlace } from './reading-place.js';
import { UNKNOWN_COMMAND } from './unknown-command.js';

/** Number of messages above which the oldest are dropped, and how many are kept then. */
const MOST_MESSAGES = 600;
const KEPT_MESSAGES = 400;
/** Distance from the end in pixels within which the log follows new messages. */
const NEAR_END = 60;
/** Distance from the end in pixels that rounding may cause; the log then stays at the end. */
const AT_END = 4;

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
  #isNearEnd = true;
  #endTop = 0;
  #place = new ReadingPlace(byId('log'), byId('messages'));
  #isSettling = false;

  /** `actions` has the callbacks of the buttons, and returns the id of the reader. */
  constructor(room, actions) {
    this.#room = room;
    this.#actions = actions;
    this.#older.addEventListener('click', () => actions.loadOlder());
    this.#newest.addEventListener('click', () => this.scrollToEnd());
    this.#log.addEventListener('scroll', () => this.#noteScroll(), { passive: true });
    // Covers everything that resizes the log, such as a font that is loaded late.
    const observer = new ResizeObserver(() => this.#settle());
    for (const part of [this.#log, ...this.#log.children]) observer.observe(part);
  }

  /** Renders all messages again. */
  reset() {
    this.#quietly(true, () => {
      this.#list.replaceChildren();
      this.#elements.clear();
      this.added(0, this.#room.messages.length);
    });
    this.scrollToEnd();
  }

  /** Shows messages that were added to the room. */
  added(index, count) {
    const { messages } = this.#room;
    const isLast = index + count === messages.length;
    const added = messages.slice(index, index + count).map((message) => this.#make(message));
    const next = messages[index + count];
    const before = next === undefined ? null : this.#elements.get(next.id).root;
    this.#quietly(!isLast, () => this.#insert(added, before));
    for (let i = index; i <= index + count; i++) this.#arrange(i);
    for (const { id } of messages.slice(index, index + count)) this.#showQuotesOf(id);
    this.#showEdges();
    this.#settleSoon();
    if (isLast && count > 0) this.#follow();
  }

  /** Shows a message, and the quotes of it, as it is now. */
  changed(message) {
    this.#elements.get(message.id)?.show(message);
    this.#showQuotesOf(message.id);
    this.#settleSoon();
  }

  /** Removes messages that the room no longer keeps. */
  dropped(messages) {
    for (const { id } of messages) {
      this.#elements.get(id)?.root.remove();
      this.#elements.delete(id);
    }
    for (const { id } of messages) this.#showQuotesOf(id);
    this.#arrange(0);
    this.#showEdges();
    this.#settleSoon();
  }

  /** Shows the messages that are not sent yet. */
  showUnsent(items) {
    this.#unsent.replaceChildren(...items.map((item) => this.#makeUnsent(item)));
    this.#showEdges();
    this.#settleSoon();
  }

  /** Scrolls to the latest message. */
  scrollToEnd() {
    this.#atEnd = true;
    this.#isNearEnd = true;
    this.#newest.hidden = true;
    this.#settleSoon();
  }

  /** Brings a part of a message into sight. */
  reveal(part) {
    part.scrollIntoView({ block: 'nearest' });
    this.#notePlace();
  }

  #showQuotesOf(id) {
    for (const element of this.#elements.values()) element.showQuoteOf(id);
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
        button(item.code === UNKNOWN_COMMAND ? 'Send as text' : 'Send again', () =>
          this.#actions.retry(item),
        ),
        button('Discard', () => this.#actions.discard(item)),
      );
    }
    const text = makeElement('p', { class: 'text', dir: 'auto' }, item.text);
    return makeElement('li', { class: failed ? 'unsent failed' : 'unsent' }, text, state);
  }

  #showEdges() {
    const { info, messages, hasMore } = this.#room;
    this.#older.hidden = !hasMore;
    const isEmpty = messages.length === 0 && this.#unsent.childElementCount === 0;
    // Whether the room is empty is known only after it was opened.
    this.#empty.hidden = info === null || !isEmpty;
  }

  #follow() {
    if (this.#isNearEnd) {
      this.scrollToEnd();
      if (this.#room.messages.length > MOST_MESSAGES) this.#room.keepLatest(KEPT_MESSAGES);
    } else {
      this.#newest.hidden = false;
    }
  }

  /** Scrolls once for all changes of one turn. */
  #settleSoon() {
    if (this.#isSettling) return;
    this.#isSettling = true;
    queueMicrotask(() => this.#settle());
  }

  /** Scrolls so that the end, or the message that is read, stays where it was. */
  #settle() {
    this.#isSettling = false;
    if (!this.#atEnd) {
      this.#place.restore();
      return;
    }
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#endTop = this.#log.scrollTop;
  }

  #noteScroll() {
    // The log may have grown since it was scrolled to its end, or to what is read.
    const isUnmoved = this.#atEnd ? this.#log.scrollTop === this.#endTop : this.#place.isUnmoved;
    if (isUnmoved || !this.#atEnd) this.#settle();
    if (!isUnmoved) this.#notePlace();
  }

  #notePlace() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    const distance = scrollHeight - scrollTop - clientHeight;
    this.#atEnd = distance < AT_END;
    this.#isNearEnd = distance < NEAR_END;
    if (this.#isNearEnd) this.#newest.hidden = true;
    this.#endTop = scrollTop;
    this.#place.note();
  }

  /** Keeps screen readers from announcing old messages as new ones. */
  #quietly(isQuiet, change) {
    if (isQuiet) this.#log.setAttribute('aria-busy', 'true');
    change();
    if (isQuiet) this.#log.setAttribute('aria-busy', 'false');
  }
}
