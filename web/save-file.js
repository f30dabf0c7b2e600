import { CommandError } from 'parlance-client';

import { makeElement } from './make-element.js';

/** Milliseconds that the browser has to start saving a file. */
const KEPT_MS = 60_000;

/** Downloads a file of a message, and lets the browser save it. */
export async function saveFile(client, file) {
  const href = URL.createObjectURL(await download(client, file));
  makeElement('a', { href, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT_MS);
}

async function download(client, file) {
  try {
    return await client.download(file);
  } catch (error) {
    const isGone = error instanceof CommandError && error.code === 'not_found';
    const message = isGone
      ? 'This file no longer exists.'
      : 'The server did not send the file. Try again later.';
    throw new Error(message, { cause: error });
  }
}
