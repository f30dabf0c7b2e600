import { verdictOf } from './connection.js';
import { byId } from './make-element.js';

const WORDS = { connecting: 'Connecting…', open: 'Connected', waiting: 'Connection lost' };

/** Shows how the connection is, the title of the room, and what went wrong. */
export class StatusBar {
  #countdown = undefined;
  #unread = 0;
  #title = '';

  /** `connect` is called when a person does not want to wait. */
  constructor(connect) {
    byId('reconnect').addEventListener('click', connect);
    document.addEventListener('visibilitychange', () => this.showTitle());
  }

  /** Shows a phase of the connection. */
  showPhase({ name, code = 0, reason, waitMs = 0 }) {
    clearInterval(this.#countdown);
    document.body.dataset.phase = name;
    const why = reason || 'the server closed the connection';
    const lost = verdictOf(code) === 'new credentials' ? 'Signed out' : WORDS.waiting;
    const words = name === 'stopped' ? `Disconnected: ${why}` : WORDS[name];
    byId('status-text').textContent = name === 'waiting' ? lost : words;
    byId('status').title = name === 'waiting' ? reason : '';
    byId('reconnect').hidden = name !== 'waiting' && name !== 'stopped';
    byId('countdown').textContent = '';
    if (name === 'waiting') this.#countDown(performance.now() + waitMs);
  }

  /** Shows a failure, or takes it away if the text is empty. */
  notice(text) {
    byId('notice').textContent = text;
    byId('notice').hidden = text === '';
  }

  /** Counts a message that came while nobody looked. */
  countUnread() {
    if (document.hidden) this.#unread++;
    this.showTitle();
  }

  /** Shows the title of the room. */
  showTitle(title = this.#title) {
    this.#title = title;
    if (!document.hidden) this.#unread = 0;
    byId('title').textContent = title;
    const unread = this.#unread === 0 ? '' : `(${String(this.#unread)}) `;
    document.title = `${unread}${title} · Parlance`;
  }

  #countDown(until) {
    const show = () => {
      const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1_000));
      byId('countdown').textContent = `trying again in ${String(seconds)} s`;
    };
    show();
    this.#countdown = setInterval(show, 1_000);
  }
}
