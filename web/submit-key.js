/** Key code of a key that an input method handles. */
const IN_COMPOSITION = 229;

/** Returns whether a key belongs to an input method; in Safari only the key code says so. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === IN_COMPOSITION;
}

/** Returns whether a key sends the text: Enter, except the one that ends a composition. */
export function isSubmitKey(event) {
  return event.key === 'Enter' && !event.shiftKey && !isComposing(event);
}
