import { cutGraphemes } from './graphemes.js';
import { makeElement } from './make-element.js';
import { isComposing, isSubmitKey } from './submit-key.js';

const FOLLOWS_MS = 5 * 60_000;
const QUICK_EMOJI = ['👍', '❤️', '😄'];
const QUOTE_CHARS = 80;
const HUES = 12;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** One message on the page. */
export class MessageElement {
  #message;
  #room;
  #actions;
  #day = makeElement('p', { class: 'day', hidden: true });
  #avatar = makeElement('span', { class: 'avatar', aria: { hidden: 'true' } });
  #name = makeElement('span', { class: 'name', dir: 'auto' });
  #kind = makeElement('span', { class: 'kind' });
  #time = makeElement('time');
  #quote = makeElement('p', { class: 'quote' });
  #text = makeElement('p', { class: 'text', dir: 'auto' });
  #files = makeElement('p', { class: 'files' });
  #reactions = makeElement('div', { class: 'reactions' });
  #tools = makeElement('div', { class: 'tools' });
  #body;

  constructor(message, room, actions) {
    this.#room = room;
    this.#actions = actions;
    const head = makeElement('p', { class: 'head' }, this.#name, this.#kind, this.#time);
    const parts = [head, this.#quote, this.#text, this.#files, this.#reactions, this.#tools];
    this.#body = makeElement('div', { class: 'body' }, ...parts);
    // On a touch screen the focus shows the tools, because nothing hovers there.
    const properties = { class: 'message', tabIndex: -1 };
    const article = makeElement('article', properties, this.#avatar, this.#body);
    this.root = makeElement(
      'div',
      { class: 'entry', data: { id: message.id } },
      this.#day,
      article,
    );
    this.show(message);
  }

  /** Shows the message as it is now. */
  show(message) {
    this.#message = message;
    const { sender, at, deletedAt } = message;
    this.root.classList.toggle('mine', sender.id === this.#actions.me());
    this.root.classList.toggle('deleted', deletedAt !== undefined);
    this.#name.textContent = sender.name;
    this.#kind.textContent = sender.kind === 'bot' ? 'bot' : '';
    this.#avatar.textContent = initialOf(sender.name);
    this.#avatar.style.setProperty('--hue', String(hueOf(sender.id)));
    this.#time.dateTime = new Date(at).toISOString();
    this.#time.textContent = clock.format(at);
    this.#time.title = exact.format(at);
    this.#showText(message);
    this.#showQuote(message);
    this.#showFiles(message);
    this.#showReactions(message);
    if (deletedAt !== undefined) this.#close();
    else if (this.#tools.childElementCount === 0) this.#tools.append(...this.#makeTools());
  }

  /** Adapts the message to the one before it: a new day, or the same sender. */
  arrange(previous) {
    const { sender, at } = this.#message;
    const newDay = previous === undefined || !isSameDay(previous.at, at);
    this.#day.hidden = !newDay;
    this.#day.textContent = newDay ? calendar.format(at) : '';
    const follows = !newDay && previous.sender.id === sender.id && at - previous.at < FOLLOWS_MS;
    this.root.classList.toggle('follows', follows);
  }

  #showText({ text, deletedAt, editedAt }) {
    if (deletedAt !== undefined) {
      this.#text.textContent = 'This message was deleted.';
      return;
    }
    // Isolated: a control for the direction of writing ends with the text that has it.
    this.#text.replaceChildren(makeElement('span', { class: 'words' }, text));
    if (editedAt === undefined) return;
    const title = exact.format(editedAt);
    this.#text.append(makeElement('small', { class: 'edit-mark', dir: 'ltr', title }, ' (edited)'));
  }

  /** Shows the quote again if it is of a message. */
  showQuoteOf(id) {
    if (this.#message.replyTo === id) this.#showQuote(this.#message);
  }

  #showQuote({ replyTo }) {
    this.#quote.hidden = replyTo === undefined;
    if (replyTo === undefined) return;
    const quoted = this.#room.find(replyTo);
    if (quoted === undefined) {
      this.#quote.textContent = '↪ an earlier message';
      return;
    }
    const name = makeElement('bdi', {}, quoted.sender.name);
    this.#quote.replaceChildren('↪ ', name, ': ', makeElement('bdi', {}, excerptOf(quoted)));
  }

  /** Offers files to be saved: what users sent is never shown as a part of this page. */
  #showFiles({ attachments = [] }) {
    this.#files.hidden = attachments.length === 0;
    const buttons = attachments.map((file) => {
      const title = `${file.type}, ${file.size.toLocaleString()} bytes`;
      const onclick = () => this.#actions.save(file);
      return makeElement('button', { type: 'button', class: 'file', title, onclick }, file.name);
    });
    this.#files.replaceChildren(...buttons);
  }

  /** Keeps the focus on the reaction that has it. */
  #showReactions({ reactions }) {
    const focused = this.#reactions.contains(document.activeElement)
      ? document.activeElement.dataset.emoji
      : undefined;
    this.#reactions.replaceChildren(...reactions.map((one) => this.#reaction(one)));
    if (focused === undefined) return;
    [...this.#reactions.children].find(({ dataset }) => dataset.emoji === focused)?.focus();
  }

  /** Removes the tools of a message that was deleted. */
  #close() {
    this.#tools.replaceChildren();
    this.#body.querySelector('form')?.remove();
    this.#text.hidden = false;
  }

  #reaction({ emoji, users }) {
    const isMine = users.includes(this.#actions.me());
    const names = users.map((id) => this.#room.members.get(id)?.user.name ?? 'someone');
    const title = names.map(isolate).join(', ');
    return makeElement(
      'button',
      {
        type: 'button',
        class: 'reaction',
        data: { emoji },
        title,
        aria: { pressed: String(isMine), label: `${emoji} ${String(users.length)}` },
        onclick: () => this.#actions.react(this.#message, emoji, !isMine),
      },
      makeElement('bdi', {}, emoji),
      makeElement('span', {}, String(users.length)),
    );
  }

  #makeTools() {
    const tools = QUICK_EMOJI.map((emoji) =>
      this.#tool(emoji, `React with ${emoji}`, () =>
        this.#actions.react(this.#message, emoji, true),
      ),
    );
    if (this.#message.sender.id === this.#actions.me()) {
      tools.push(this.#tool('Edit', 'Edit this message', () => this.#edit()));
    }
    if (this.#actions.mayDelete(this.#message)) {
      const remove = () => this.#actions.remove(this.#message);
      tools.push(this.#tool('Delete', 'Delete this message', remove));
    }
    return tools;
  }

  #tool(text, label, onclick) {
    const properties = { type: 'button', class: 'tool', title: label, aria: { label }, onclick };
    return makeElement('button', properties, text);
  }

  /** Puts a field in place of the text; Enter saves, Escape leaves the message as it was. */
  #edit() {
    if (this.#body.querySelector('form') !== null) return;
    const field = makeElement('textarea', { value: this.#message.text, rows: 3, dir: 'auto' });
    field.setAttribute('aria-label', 'Message text');
    const cancel = makeElement('button', { type: 'button', class: 'plain' }, 'Cancel');
    const save = makeElement('button', { type: 'submit' }, 'Save');
    const form = makeElement('form', { class: 'edit' }, field, save, cancel);
    const end = () => {
      form.remove();
      this.#text.hidden = false;
      this.#tools.querySelector('[title^="Edit"]')?.focus({ preventScroll: true });
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#actions
        .edit(this.#message, field.value)
        .then((done) => (done ? end() : field.focus()));
    });
    cancel.addEventListener('click', end);
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !isComposing(event)) end();
      if (!isSubmitKey(event)) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.#text.hidden = true;
    this.#text.after(form);
    field.focus({ preventScroll: true });
    this.#actions.reveal(form);
  }
}

/** Returns the hue of the colour of an id; it is always the same for one id. */
export function hueOf(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) % 9_973;
  return (sum % HUES) * (360 / HUES);
}

/** Returns the first letter of a name. */
export function initialOf(name) {
  return cutGraphemes(name.toLocaleUpperCase(), 1).start;
}

function excerptOf({ text, deletedAt }) {
  if (deletedAt !== undefined) return 'a deleted message';
  const { start, isCut } = cutGraphemes(text, QUOTE_CHARS);
  return isCut ? `${start}…` : start || 'a file';
}

/** Isolates a name within a text that has no elements: names have no such signs themselves. */
function isolate(name) {
  return `\u2068${name}\u2069`;
}

function isSameDay(a, b) {
  return new Date(a).toDateString() === new Date(b).toDateString();
}
