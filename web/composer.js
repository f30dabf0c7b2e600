import { byId } from './make-element.js';
import { isSubmitKey } from './submit-key.js';

const SHOW_COUNT_FROM = 0.8;
const MOST_ROWS_PX = 180;

/** The field in which messages are written. */
export class Composer {
  #form = byId('composer');
  #field = byId('text');
  #button = byId('send');
  #count = byId('count');
  #actions;
  #limits = { textChars: Infinity, typingThrottleMs: 3_000 };
  #isSending = false;
  /** Whether the latest report said that the person is typing, and when it was sent. */
  #isTold = false;
  #toldAt = -Infinity;

  /**
   * `actions.send` sends a text and resolves to whether it did. `actions.draft` stores a text that
   * is not sent yet. `actions.typing` reports whether the person is typing.
   */
  constructor(actions) {
    this.#actions = actions;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#field.addEventListener('keydown', (event) => {
      if (!isSubmitKey(event)) return;
      event.preventDefault();
      void this.#submit();
    });
    this.#field.addEventListener('input', () => this.#changed());
    // Another tab may have sent its text in this room, and with it the draft.
    addEventListener('pagehide', () => {
      if (this.#field.value !== '') actions.draft(this.#field.value);
    });
  }

  /** Applies the limits of the server. */
  setLimits(limits) {
    this.#limits = limits;
    this.#showCount();
  }

  /** Puts a stored draft into the field, unless the field has a text. */
  restore(draft) {
    if (draft === null || this.#field.value !== '') return;
    this.#field.value = draft;
    this.#fit();
    this.#showCount();
  }

  /** Sends the text as it is. */
  sendAsText() {
    void this.#submit({ asText: true });
  }

  /** Opens the field for writing, or makes it read-only. */
  setOpen(isOpen) {
    this.#field.readOnly = !isOpen;
    this.#button.disabled = !isOpen;
    this.#field.placeholder = isOpen ? 'Write a message' : 'You cannot send messages here';
  }

  async #submit(how = {}) {
    const text = this.#field.value;
    if (text.trim() === '' || this.#tooLong() || this.#isSending || this.#button.disabled) return;
    this.#isSending = true;
    try {
      if (!(await this.#actions.send(text, how))) return;
    } finally {
      this.#isSending = false;
    }
    if (this.#field.value === text) this.#clear();
  }

  #clear() {
    this.#field.value = '';
    this.#actions.draft('');
    // A message ends the typing state by itself.
    this.#isTold = false;
    this.#toldAt = -Infinity;
    this.#fit();
    this.#showCount();
  }

  #changed() {
    this.#fit();
    this.#showCount();
    this.#actions.draft(this.#field.value);
    const writes = this.#field.value.trim() !== '';
    const now = performance.now();
    if (!writes && this.#isTold) {
      this.#isTold = false;
      this.#actions.typing(false);
    } else if (writes && now - this.#toldAt >= this.#limits.typingThrottleMs) {
      this.#isTold = true;
      this.#toldAt = now;
      this.#actions.typing(true);
    }
  }

  #fit() {
    this.#field.style.height = 'auto';
    this.#field.style.height = `${String(Math.min(this.#field.scrollHeight, MOST_ROWS_PX))}px`;
  }

  #tooLong() {
    return [...this.#field.value].length > this.#limits.textChars;
  }

  #showCount() {
    const left = this.#limits.textChars - [...this.#field.value].length;
    const show = left < this.#limits.textChars * (1 - SHOW_COUNT_FROM);
    this.#count.textContent = !show ? '' : left >= 0 ? `${left} left` : `${-left} too many`;
    this.#form.classList.toggle('too-long', left < 0);
  }
}
