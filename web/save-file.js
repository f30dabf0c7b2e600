import { makeElement } from './make-element.js';

/** How long the browser may take to begin to save what it was given. */
const KEPT_MS = 60_000;

/** Fetches a file of a message with the token of this tab, and has the browser save it. */
export async function saveFile({ url, name }, token) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error('This file cannot be had any more.');
  const href = URL.createObjectURL(await response.blob());
  makeElement('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT_MS);
}
