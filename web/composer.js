import { byId } from './make-element.js';

const SHOW_COUNT_FROM = 0.8;
const MOST_ROWS_PX = 180;

/** The field in which messages are written. */
export class Composer {
  #form = byId('composer');
  #field = byId('text');
  #count = byId('count');
  #actions;
  #limits = { textChars: Infinity, typingThrottleMs: 3_000 };
  /** Whether the others were told last that somebody writes here, and when that was. */
  #isTold = false;
  #toldAt = -Infinity;

  /** `actions.send` takes a text, `actions.typing` whether one is being written. */
  constructor(actions) {
    this.#actions = actions;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener('input', () => this.#changed());
  }

  /** Takes the limits of the server. */
  setLimits(limits) {
    this.#limits = limits;
    this.#showCount();
  }

  #submit() {
    const text = this.#field.value;
    if (text.trim() === '' || this.#tooLong()) return;
    this.#actions.send(text);
    this.#field.value = '';
    // A message ends the mark by itself.
    this.#isTold = false;
    this.#toldAt = -Infinity;
    this.#fit();
    this.#showCount();
  }

  #changed() {
    this.#fit();
    this.#showCount();
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
