export {
  BotHarness,
  createBotHarness,
  HARNESS_TRANSPORTS,
  type BotHarnessOptions,
  type HarnessTransport,
} from './bot-harness.js';
export { DefaultCheckError } from './default-checks.js';
export { FakeBotClock } from './fake-bot-clock.js';
export { HarnessRoom } from './harness-room.js';
export { HarnessUser } from './harness-user.js';
export type { BotReport } from '../kit/bot-host.js';
