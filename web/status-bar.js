import { byId, makeElement } from './make-element.js';

const WORDS = { connecting: 'Connecting…', open: 'Connected', waiting: 'Connection lost' };
/** First close code by which the server asks for another token (P-4.5), and the last one. */
const NEW_CREDENTIALS = [4300, 4399];
const LONG_WAIT_MS = 120_000;

/** Shows the state of the connection, the title of the room, and errors. */
export class StatusBar {
  #countdown = undefined;
  #unread = 0;
  #title = '';

  /** `connect` is called when the person presses "Connect now". */
  constructor(connect) {
    byId('reconnect').addEventListener('click', connect);
    document.addEventListener('visibilitychange', () => this.showTitle());
  }

  /** Shows a status of the client. */
  showPhase({ name, code = 0, error, delayMs = 0 }) {
    clearInterval(this.#countdown);
    document.body.dataset.phase = name;
    byId('status-text').textContent = textOf({ name, code, error });
    byId('reconnect').hidden = name !== 'waiting' && name !== 'closed';
    byId('countdown').textContent = '';
    if (name === 'waiting') this.#countDown(performance.now() + delayMs);
  }

  /** Shows why there is no connection; an empty text hides the line. */
  showOutage(text) {
    byId('outage').textContent = text;
    byId('outage').hidden = text === '';
  }

  /** Shows an error and an action against it; an empty text hides the line. */
  notice(text, label, action) {
    const parts = [text];
    if (label !== undefined) {
      const onclick = () => {
        this.notice('');
        action();
      };
      parts.push(' ', makeElement('button', { type: 'button', class: 'plain', onclick }, label));
    }
    byId('notice').replaceChildren(...parts);
    byId('notice').hidden = text === '';
  }

  /** Counts a message that arrived while the page was hidden. */
  countUnread() {
    if (document.hidden) this.#unread++;
    this.showTitle();
  }

  /** Shows the title of the room. */
  showTitle(title = this.#title) {
    this.#title = title;
    if (!document.hidden) this.#unread = 0;
    byId('title').replaceChildren(makeElement('bdi', {}, title));
    const unread = this.#unread === 0 ? '' : `(${String(this.#unread)}) `;
    document.title = `${unread}\u2068${title}\u2069 · Parlance`;
  }

  #countDown(until) {
    const show = () => {
      const leftMs = Math.max(0, until - performance.now());
      const isLong = leftMs > LONG_WAIT_MS;
      const left = Math.ceil(leftMs / (isLong ? 60_000 : 1_000));
      byId('countdown').textContent = `trying again in ${String(left)} ${isLong ? 'min' : 's'}`;
    };
    show();
    this.#countdown = setInterval(show, 1_000);
  }
}

function textOf({ name, code, error }) {
  if (name === 'closed') {
    return `Disconnected: ${error?.message ?? 'the server closed the connection'}`;
  }
  const [first, last] = NEW_CREDENTIALS;
  const isSignedOut = name === 'waiting' && code >= first && code <= last;
  return isSignedOut ? 'Signed out' : WORDS[name];
}
