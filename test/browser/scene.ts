import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { hasChromium, launchChromium, NO_CHROMIUM } from './chromium.js';
import { Tab } from './tab.js';

/** Time limit of a test of the page in milliseconds: a browser starts slowly. */
export const TEST_MS = 60_000;

/** A server, and browsers of several people, new for each test. */
export class Scene {
  server!: TestServer;
  context!: BrowserContext;
  private browser!: Browser;
  private contexts: BrowserContext[] = [];

  constructor(private readonly settings: () => Readonly<Record<string, string>>) {}

  /** Opens a tab that shows the page, in a new browser context. */
  async tab(path = '/', prepare?: Parameters<typeof Tab.open>[2]): Promise<Tab> {
    return Tab.open(await this.person(), this.server.url + path, prepare);
  }

  /** Returns a new browser context, which is closed after the test. */
  async person(options?: BrowserContextOptions): Promise<BrowserContext> {
    const context = await this.browser.newContext(options);
    this.contexts.push(context);
    return context;
  }

  /** Connects a client that is not a browser. */
  client(name = 'rob'): Promise<TestClient> {
    const url = `${this.server.url}/ws`;
    return TestClient.connect((listener) => openWebSocket(url, listener, { hello: { name } }));
  }

  /** Registers hooks that start and stop the browser and the servers. */
  install(): void {
    beforeAll(async () => {
      this.browser = await launchChromium();
    }, TEST_MS);
    afterAll(() => this.browser.close());
    beforeEach(async () => {
      this.server = await startServer(this.settings());
      this.context = await this.person();
    }, TEST_MS);
    afterEach(async () => {
      await Promise.all(this.contexts.map((context) => context.close()));
      this.contexts = [];
      await this.server.dispose();
    }, TEST_MS);
  }
}

/**
 * Declares tests that need a browser; without one they are skipped, or fail if `CI` is set.
 *
 * `settings` are asked for before each server is started.
 */
export function inBrowser(
  title: string,
  declare: (scene: Scene) => void,
  settings: () => Readonly<Record<string, string>> = () => ({}),
): void {
  if (!hasChromium) process.stdout.write(`\nBrowser: SKIPPED. ${NO_CHROMIUM}\n`);
  if (!hasChromium && process.env['CI'] !== undefined) {
    test('a browser is installed', () => {
      throw new Error(NO_CHROMIUM);
    });
  }
  (hasChromium ? describe : describe.skip)(title, () => {
    const scene = new Scene(settings);
    scene.install();
    declare(scene);
  });
}
