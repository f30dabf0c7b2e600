import assert from 'node:assert/strict';

import { Writer } from '#src/database/writer.js';
import { DEFAULT_SCOPES, type BotHello, type BotScope } from '#src/protocol/bots.js';
import { registerBot } from '#src/users/bot-accounts.service.js';

import type { TestClient } from '../support/client.js';
import { meet } from './meeting.js';
import type { Scene } from './suite.js';

/** What the bots of these tests want, and have where nothing else is said. */
export const ALL: readonly BotScope[] = [...DEFAULT_SCOPES, 'messages:read'];

/** Registers a bot as its operator does; gives its token. */
export async function register(
  { server }: Pick<Scene, 'server'>,
  name = 'far',
  scopes = ALL,
): Promise<string> {
  assert(server !== undefined, 'the server is in this process');
  const bot = { name, about: 'Far away.', scopes };
  return server.app.get(Writer).run(({ manager }) => registerBot(manager, bot));
}

/** A room of ann with a bot that is not connected yet. */
export async function withBot(scene: Scene, scopes = ALL) {
  const token = await register(scene);
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  await ann.ok('bot.add', { room, bot: 'far', scopes: [...scopes] });
  const connect = (bot: BotHello = {}) => scene.join('far', { token, bot });
  return { token, room, ann, connect };
}

/** Gives the next message that a bot is given. */
export const next = (bot: TestClient) => bot.event('message.created');
