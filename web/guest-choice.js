import { endOwnGuest, hasOwnGuest, startOwnGuest } from './browser-memory.js';
import { byId } from './make-element.js';

/** Shows which tabs share the guest, and offers this tab another one. */
export function offerGuests() {
  if (hasOwnGuest) offer('This tab has its own guest until you close it.', 'End this guest', end);
  else offer('All tabs of this browser share this guest.', 'New guest', startOwnGuest);
}

function offer(note, label, choose) {
  byId('guest-note').textContent = note;
  byId('guest-button').textContent = label;
  byId('guest-button').addEventListener('click', () => {
    if (choose() !== false) location.reload();
  });
}

function end() {
  if (!confirm('End this guest? You cannot use it again.')) return false;
  return endOwnGuest();
}
