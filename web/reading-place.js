/** Keeps the message that a person reads in its place while the log around it changes. */
export class ReadingPlace {
  #log;
  #list;
  #anchor = null;
  #top = 0;
  #scrollTop = 0;

  /** `log` scrolls, `list` within it has the messages. */
  constructor(log, list) {
    this.#log = log;
    this.#list = list;
  }

  /**
   * Chooses the last message that is completely visible as the one that is read.
   *
   * A change above it, in sight or not, then moves nothing below the change.
   */
  note() {
    const entries = this.#list.children;
    const { top, bottom } = this.#log.getBoundingClientRect();
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle].getBoundingClientRect().bottom <= bottom) low = middle + 1;
      else high = middle;
    }
    const whole = entries[low - 1];
    // A message that is longer than the view may be all that is in sight.
    const isInSight = whole?.getBoundingClientRect().bottom > top;
    this.#anchor = (isInSight ? whole : (entries[low] ?? whole)) ?? null;
    this.#top = this.#topOfAnchor();
    this.#scrollTop = this.#log.scrollTop;
  }

  /** Whether the log has not been scrolled since the last change. */
  get isUnmoved() {
    return this.#log.scrollTop === this.#scrollTop;
  }

  /** Scrolls by as much as the message has moved within the log. */
  restore() {
    if (this.#anchor === null || !this.#anchor.isConnected) return;
    const moved = this.#topOfAnchor() - this.#top;
    const from = this.#scrollTopBefore();
    this.#log.scrollTop = from + moved;
    this.#scrollTop = this.#log.scrollTop;
    // Browsers round the position; the rest is corrected the next time.
    this.#top += this.#scrollTop - from;
  }

  /** A log that shrinks may have been scrolled by the browser already, to its new end. */
  #scrollTopBefore() {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    const isAtEnd = scrollHeight - clientHeight - scrollTop < 1;
    return isAtEnd ? Math.max(scrollTop, this.#scrollTop) : scrollTop;
  }

  /** Returns the distance to the start of the log, which scrolling does not change. */
  #topOfAnchor() {
    if (this.#anchor === null) return 0;
    const { top } = this.#anchor.getBoundingClientRect();
    return top - this.#log.getBoundingClientRect().top + this.#log.scrollTop;
  }
}
