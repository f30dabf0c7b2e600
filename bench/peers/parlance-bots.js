// Parlance with five bots in every room, each with five patterns, or with one bot that hangs.
// Node.js cannot run decorators, so they are applied by hand.
import { NestFactory } from '@nestjs/core';

import { ChatBot, Hears, ParlanceAdapter, ParlanceModule, readConfig } from '../../dist/index.js';

const WORDS = ['deploy', 'lunch', 'incident', 'release', 'coffee'];
const hangs = process.argv.includes('--hang');
const bots = hangs ? [createHangingBot()] : WORDS.map(createReader);
const names = hangs ? 'hanging' : WORDS.join(',');

const config = readConfig({ ...process.env, PARLANCE_ROOM_BOTS: names });
const options = { bots, http: { health: true } };
const app = await NestFactory.create(ParlanceModule.forRoot(config, options), { logger: false });
app.useWebSocketAdapter(new ParlanceAdapter(app));
await app.listen(config.port, String(config.host));

/**
 * Returns a bot that reads every message and matches none.
 *
 * @param {string} name
 */
function createReader(name) {
  class Reader {}
  for (const word of WORDS) {
    const method = `hear${word}`;
    Object.defineProperty(Reader.prototype, method, {
      value: () => 'heard',
      writable: true,
      configurable: true,
    });
    const descriptor = Object.getOwnPropertyDescriptor(Reader.prototype, method) ?? {};
    const pattern = new RegExp(`\\b${name} (the )?${word}(s|ed)?\\b`, 'i');
    Hears(pattern, { when: 'all' })(Reader.prototype, method, descriptor);
  }
  const scopes = /** @type {const} */ (['messages:read', 'messages:write']);
  ChatBot({ name, scopes })(Reader);
  return Reader;
}

/** Returns a bot whose handler never returns. */
function createHangingBot() {
  class Hanging {
    hear() {
      return new Promise(() => {});
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Hanging.prototype, 'hear') ?? {};
  Hears(/./, { when: 'all' })(Hanging.prototype, 'hear', descriptor);
  ChatBot({ name: 'hanging', scopes: ['messages:read', 'messages:write'] })(Hanging);
  return Hanging;
}
