// Parlance with five bots of five patterns each in every room, or with one that hangs. Node cannot
// run decorators, so they are applied by hand.
import { NestFactory } from '@nestjs/core';

import { ChatBot, Hears, ParlanceAdapter, ParlanceModule, readConfig } from '../../dist/index.js';

const WORDS = ['deploy', 'lunch', 'incident', 'release', 'coffee'];
const hangs = process.argv.includes('--hang');
const bots = hangs ? [makeHangingBot()] : WORDS.map(makeReader);
const names = hangs ? 'hanging' : WORDS.join(',');

const config = readConfig({ ...process.env, PARLANCE_ROOM_BOTS: names });
const app = await NestFactory.create(ParlanceModule.forRoot(config, { bots }), { logger: false });
app.useWebSocketAdapter(new ParlanceAdapter(app));
await app.listen(config.port, String(config.host));

/**
 * A bot that reads everything, and waits for words that nobody says.
 *
 * @param {string} name
 */
function makeReader(name) {
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

/** A bot each of whose handlers never ends. */
function makeHangingBot() {
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
