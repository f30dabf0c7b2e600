/** Several servers may share an origin, each below its own path; each has its own keys. */
const PREFIX = `parlance:${new URL('.', location.href).pathname}:`;
const OWN_GUEST = 'own-guest';

/** Replaces a storage that the browser forbids; its contents do not survive a reload. */
class PageStorage {
  #texts = new Map();

  getItem(key) {
    return this.#texts.get(key) ?? null;
  }

  setItem(key, text) {
    this.#texts.set(key, text);
  }

  removeItem(key) {
    this.#texts.delete(key);
  }

  keys() {
    return [...this.#texts.keys()];
  }
}

const ofTab = openStorage('sessionStorage');
const ofBrowser = openStorage('localStorage');
const current = ofTab.getItem(PREFIX + OWN_GUEST) === null ? ofBrowser : ofTab;
/** Texts that did not fit into the storage. */
const overflow = new PageStorage();

/** Whether this tab has its own guest instead of the one that all tabs of the browser share. */
export const hasOwnGuest = current === ofTab;

/** Stores a text; null removes it. */
export function remember(key, text) {
  overflow.removeItem(PREFIX + key);
  if (text === null) {
    current.removeItem(PREFIX + key);
    return;
  }
  try {
    current.setItem(PREFIX + key, text);
  } catch {
    // The storage is full: the text lasts until the page is closed.
    overflow.setItem(PREFIX + key, text);
  }
}

/** Returns the text that is stored under a key, or null. */
export function recall(key) {
  return overflow.getItem(PREFIX + key) ?? current.getItem(PREFIX + key);
}

/** Returns all texts whose keys start with `start`. */
export function recallAll(start) {
  return [...keysOf(current), ...overflow.keys()]
    .filter((key) => key.startsWith(PREFIX + start))
    .map((key) => recall(key.slice(PREFIX.length)))
    .filter((text) => text !== null);
}

/** Calls `changed` with each key that another tab of this browser changes. */
export function watchMemory(changed) {
  addEventListener('storage', ({ key, storageArea }) => {
    if (storageArea !== current || key === null) return;
    if (key.startsWith(PREFIX)) changed(key.slice(PREFIX.length));
  });
}

/** Starts a guest for this tab alone, from the next load of the tab. */
export function startOwnGuest() {
  ofTab.setItem(PREFIX + OWN_GUEST, 'yes');
}

/** Removes the guest of this tab; from its next load, the tab shares that of the browser. */
export function endOwnGuest() {
  for (const key of keysOf(ofTab)) {
    if (key.startsWith(PREFIX)) ofTab.removeItem(key);
  }
}

function openStorage(name) {
  try {
    const storage = globalThis[name];
    storage.setItem(`${PREFIX}probe`, '');
    storage.removeItem(`${PREFIX}probe`);
    return storage;
  } catch {
    return new PageStorage();
  }
}

function keysOf(storage) {
  return storage instanceof PageStorage ? storage.keys() : Object.keys(storage);
}
