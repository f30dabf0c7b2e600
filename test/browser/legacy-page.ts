import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import express from 'express';
import type { BrowserContext, Locator, Page } from 'playwright-core';

const WAIT_MS = 10_000;
const COPY = fileURLToPath(new URL('../../tools/legacy-pages.js', import.meta.url));

/** Folder of the pages of older programs. */
export const LEGACY_PAGES = fileURLToPath(new URL('../../examples/legacy', import.meta.url));

/** Copies the clients of the pages from their packages. */
export function copyClients(): void {
  execFileSync(process.execPath, [COPY]);
}

/** Another web server that serves the pages. */
export class OtherSite {
  private constructor(
    private readonly http: Server,
    readonly origin: string,
  ) {}

  static async start(): Promise<OtherSite> {
    const http = createServer(express().use(express.static(LEGACY_PAGES)));
    await once(http.listen(0, '127.0.0.1'), 'listening');
    const { port } = http.address() as AddressInfo;
    return new OtherSite(http, `http://127.0.0.1:${String(port)}`);
  }

  stop(): void {
    this.http.close();
    this.http.closeAllConnections();
  }
}

/** A page of an older program, as a person uses it. */
export class LegacyPage {
  /** Errors of the page, and requests that were blocked. */
  readonly faults: string[] = [];
  /** HTTP responses to the page, and the WebSockets that it opened. */
  readonly wires: string[] = [];

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(WAIT_MS);
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (line) => {
      if (line.type() === 'error') this.faults.push(line.text());
    });
    page.on('websocket', () => this.wires.push('websocket'));
    page.on('response', (response) => {
      if (!response.url().includes('transport=polling')) return;
      this.wires.push(response.headers()['content-type'] ?? '');
    });
  }

  /** Opens a page; `script` runs in it before anything else. */
  static async open(context: BrowserContext, url: string, script = ''): Promise<LegacyPage> {
    const legacy = new LegacyPage(await context.newPage());
    await legacy.page.addInitScript(script);
    await legacy.page.goto(url);
    return legacy;
  }

  /** Waits until the page says that it is connected. */
  async isOpen(): Promise<void> {
    await this.page.locator('body[data-phase="open"]').waitFor();
  }

  /** Fills fields of a form, by name, and presses a button of it. */
  async submit(form: string, fields: Record<string, string>, button: string): Promise<void> {
    const found = this.page.locator(`#${form}`);
    for (const [name, text] of Object.entries(fields)) {
      await found.locator(`[name="${name}"]`).fill(text);
    }
    await found.getByRole('button', { name: button, exact: true }).click();
  }

  /** Sends a message. */
  async say(text: string): Promise<void> {
    await this.submit('say', { text }, 'Send');
  }

  /** Waits for a line that contains a text; returns it. */
  async sees(text: string): Promise<Locator> {
    const line = this.page.locator('#lines li', { hasText: text });
    await line.waitFor();
    return line;
  }
}
