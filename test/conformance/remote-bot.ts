import assert from 'node:assert/strict';

import { Writer } from '#src/database/writer.js';
import { DEFAULT_SCOPES, type BotHello, type BotScope } from '#src/protocol/bots.js';
import { registerBot } from '#src/users/bot-accounts.js';

import type { TestClient } from '../support/client.js';
import { meet } from './meeting.js';
import type { Scene } from './suite.js';

/** Scopes that remote bots in these tests want, and have by default. */
export const ALL_SCOPES: readonly BotScope[] = [...DEFAULT_SCOPES, 'messages:read'];

/** Registers a remote bot, as its operator does; returns its token. */
export async function registerRemoteBot(
  { server }: Pick<Scene, 'server'>,
  name = 'remote',
  scopes = ALL_SCOPES,
): Promise<string> {
  assert(server !== undefined, 'the server is in this process');
  const bot = { name, about: 'Runs elsewhere.', scopes };
  return server.app.get(Writer).run([], ({ manager }) => registerBot(manager, bot));
}

/** Creates a room of ann with a remote bot that is not connected yet. */
export async function createRoomWithBot(scene: Scene, scopes = ALL_SCOPES) {
  const token = await registerRemoteBot(scene);
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  await ann.ok('bot.add', { room, bot: 'remote', scopes: [...scopes] });
  const connect = (bot: BotHello = {}) => scene.join('remote', { token, bot });
  return { token, room, ann, connect };
}

/** Returns the next message that a bot receives. */
export const nextMessage = (bot: TestClient) => bot.event('message.created');
