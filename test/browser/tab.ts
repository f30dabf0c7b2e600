import type { BrowserContext, Locator, Page } from 'playwright-core';

const WAIT_MS = 10_000;
/** A stopping server asks clients to come back within 10 s, and they may find it still away. */
const RETURN_MS = 30_000;

const WATCH_POLICY = `
  window.__violations = [];
  document.addEventListener('securitypolicyviolation', (event) => {
    window.__violations.push(event.violatedDirective + ' ' + event.blockedURI);
  });
`;

/** A tab of a browser that shows the page, as a person uses it. */
export class Tab {
  /** What the browser complained about. */
  readonly complaints: string[] = [];

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(WAIT_MS);
    page.on('console', (line) => {
      if (['error', 'warning'].includes(line.type())) this.complaints.push(line.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('dialog', (dialog) => void dialog.accept());
  }

  /** Opens a tab; `prepare` may put something between the page and the server. */
  static async open(
    context: BrowserContext,
    url: string,
    prepare?: (page: Page) => Promise<void>,
  ): Promise<Tab> {
    const tab = new Tab(await context.newPage());
    await tab.page.addInitScript(WATCH_POLICY);
    await prepare?.(tab.page);
    await tab.page.goto(url);
    await tab.inRoom();
    return tab;
  }

  /** Waits until the tab is in the room, also after the server was away. */
  async inRoom(): Promise<void> {
    const open = this.page.locator('body[data-phase="open"]');
    await open.waitFor({ timeout: RETURN_MS });
    await this.page.locator('#rooms [aria-current]').waitFor({ state: 'attached' });
  }

  /** Waits until the tab has noticed that the server is away. */
  async isAlone(): Promise<void> {
    await this.page.locator('body[data-phase="waiting"]').waitFor();
  }

  /** Does not wait for the time to come back; the button may be gone since it has come. */
  async connectNow(): Promise<void> {
    await this.page.locator('#reconnect').dispatchEvent('click');
  }

  /** Loads the page anew, as the same person. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.inRoom();
  }

  /** Takes another name. */
  async rename(name: string): Promise<void> {
    await this.page.fill('#name', name);
    await this.page.press('#name', 'Enter');
    await this.person(name).waitFor();
  }

  /** Writes a message and sends it, without waiting. */
  async write(text: string): Promise<void> {
    await this.page.fill('#text', text);
    await this.page.press('#text', 'Enter');
  }

  /** Waits until a message is shown; gives it. */
  async sees(text: string): Promise<Locator> {
    const entry = this.page.locator('#messages .entry').filter({
      has: this.page.getByText(text, { exact: true }),
    });
    await entry.waitFor();
    return entry;
  }

  /** Presses a button of a message. */
  async press(text: string, label: string): Promise<void> {
    const entry = await this.sees(text);
    // A browser hardly paints a tab that nobody sees, and a click waits for that.
    await this.page.bringToFront();
    await entry.hover();
    await entry.getByRole('button', { name: label }).click();
  }

  /** Gives the texts of all messages that are shown, in their order. */
  texts(): Promise<string[]> {
    return this.page.locator('#messages .text').allTextContents();
  }

  /** Gives the texts that are not known to be stored. */
  unsent(): Promise<string[]> {
    return this.page.locator('#unsent .text').allTextContents();
  }

  /** Finds somebody among those who are here. */
  person(name: string): Locator {
    return this.page.locator('#people li').filter({
      has: this.page.getByText(name, { exact: true }),
    });
  }

  /** Finds somebody among the members who are away. */
  absentPerson(name: string): Locator {
    return this.page.locator('#away-people li').filter({
      has: this.page.getByText(name, { exact: true }),
    });
  }

  /** Gives what was done against the policy of the page. */
  violations(): Promise<string[]> {
    return this.page.evaluate<string[]>('window.__violations');
  }

  /** Gives what the payloads of the tests would set, if they ran. */
  xss(): Promise<unknown> {
    return this.page.evaluate('window.__xss');
  }
}
