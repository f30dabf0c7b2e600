const PREFIX = 'parlance.';
// A browser may forbid storage; then a reload begins anew.
const fallback = new Map();

/** Remembers a text for this tab alone, over reloads; null forgets it. */
export function remember(key, text) {
  fallback.set(key, text);
  try {
    if (text === null) sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // The map has it.
  }
}

/** Gives what this tab remembers; null if nothing. */
export function recall(key) {
  if (fallback.has(key)) return fallback.get(key);
  try {
    return sessionStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}
