const BYTES = 12;

/** Makes an id for a message (P-6.3): 24 hexadecimal digits. */
export function newCid(): string {
  // `crypto.randomUUID` exists only in pages from HTTPS or localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
