import type { DirectCut } from '#src/protocol/commands.js';

import type { TestClient } from '../support/client.js';
import type { Scene } from './suite.js';

/** Returns the user id of a client. */
export const idOf = ({ welcome }: TestClient) => welcome.user.id;

/** Opens the direct room of two users over the connection of the first. */
export function openWith(client: TestClient, other: TestClient): Promise<DirectCut> {
  return client.ok('dm.open', { user: idOf(other) });
}

/** Connects two users and attaches both to their direct room. */
export async function openDirectRoom(scene: Scene) {
  const ann = await scene.join('ann');
  const bob = await scene.join('bob');
  const cut = await openWith(ann, bob);
  await openWith(bob, ann);
  return { ann, bob, cut, room: cut.room };
}
