import type { BrowserContext, Locator, Page } from 'playwright-core';

const WAIT_MS = 10_000;
/** A stopping server asks clients to reconnect within 10 s; the first attempt may still fail. */
const RETURN_MS = 30_000;

const WATCH_POLICY = `
  window.__violations = [];
  document.addEventListener('securitypolicyviolation', (event) => {
    window.__violations.push(event.violatedDirective + ' ' + event.blockedURI);
  });
`;

/** A tab of a browser that shows the page, as a person uses it. */
export class Tab {
  /** Errors and warnings in the console of the browser. */
  readonly consoleErrors: string[] = [];
  /** The field in which messages are written. */
  readonly field: Locator;
  /** The messages, and those that are not sent yet. */
  readonly log: Locator;
  readonly messages: Locator;

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(WAIT_MS);
    page.on('console', (line) => {
      if (['error', 'warning'].includes(line.type())) this.consoleErrors.push(line.text());
    });
    page.on('pageerror', (error) => this.consoleErrors.push(String(error)));
    page.on('dialog', (dialog) => void dialog.accept());
    this.field = page.getByRole('textbox', { name: 'Message', exact: true });
    this.log = page.getByRole('log', { name: 'Messages' });
    this.messages = this.log.getByRole('article');
  }

  /** Opens a tab without waiting; `prepare` may put something between the page and the server. */
  static async load(
    context: BrowserContext,
    url: string,
    prepare?: (page: Page) => Promise<void>,
  ): Promise<Tab> {
    const tab = new Tab(await context.newPage());
    await tab.page.addInitScript(WATCH_POLICY);
    await prepare?.(tab.page);
    await tab.page.goto(url);
    return tab;
  }

  /** Opens a tab and waits until it is in its room. */
  static async open(...how: Parameters<typeof Tab.load>): Promise<Tab> {
    const tab = await Tab.load(...how);
    await tab.inRoom();
    return tab;
  }

  /** Opens another tab of the same browser. */
  beside(url = this.page.url()): Promise<Tab> {
    return Tab.open(this.page.context(), url);
  }

  /** Waits until the tab is in the room, also after an outage. */
  async inRoom(): Promise<void> {
    const connected = this.page.getByRole('status').filter({ hasText: /^Connected$/ });
    await connected.waitFor({ timeout: RETURN_MS });
    const me = this.people(true).filter({ has: this.page.getByText(/^you(,|$)/) });
    await me.waitFor({ state: 'attached' });
  }

  /** Waits until the tab shows that the connection is lost. */
  async isDisconnected(): Promise<void> {
    await this.page.getByRole('button', { name: 'Connect now' }).waitFor();
  }

  /** Presses "Connect now"; the button may be hidden if the time has come. */
  async connectNow(): Promise<void> {
    const button = this.page.getByText('Connect now');
    await button.dispatchEvent('click');
  }

  /** Reloads the page. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.inRoom();
  }

  /** Returns the name of the user of the tab. */
  name(): Promise<string> {
    return this.page.getByRole('textbox', { name: 'Your name', includeHidden: true }).inputValue();
  }

  /** Renames the user of the tab. */
  async rename(name: string): Promise<void> {
    const field = this.page.getByRole('textbox', { name: 'Your name' });
    await field.fill(name);
    await field.press('Enter');
    await this.person(name).waitFor();
  }

  /** Writes a message and sends it, without waiting. */
  async write(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press('Enter');
  }

  /** Waits until a message is shown; returns it. */
  async sees(text: string): Promise<Locator> {
    const message = this.messages.filter({ has: this.page.getByText(text, { exact: true }) });
    await message.waitFor();
    return message;
  }

  /** Waits for an alert of the page; returns it. */
  async seesAlert(text: string | RegExp): Promise<Locator> {
    const alert = this.page.getByRole('alert').filter({ hasText: text });
    await alert.waitFor();
    return alert;
  }

  /** Returns whether the page shows a message as that of its user, who may edit it. */
  async isMine(text: string): Promise<boolean> {
    const message = await this.sees(text);
    return (await message.getByRole('button', { name: 'Edit this message' }).count()) === 1;
  }

  /** Presses a button of a message. */
  async press(text: string, label: string): Promise<void> {
    const message = await this.sees(text);
    // A click waits for a paint, and browsers hardly paint a tab in the background.
    await this.page.bringToFront();
    await message.hover();
    await message.getByRole('button', { name: label }).click();
  }

  /** Changes the text of a message that is being edited, without saving it. */
  async rewrite(text: string): Promise<Locator> {
    const field = this.log.getByRole('textbox', { name: 'Message text' });
    await field.fill(text);
    return field;
  }

  /** Returns the texts of all messages that are shown, in their order. */
  texts(): Promise<string[]> {
    return this.lines(this.messages, 'last');
  }

  /** Returns the texts of messages that are not known to be stored. */
  unsent(): Promise<string[]> {
    return this.lines(this.unsentItems(), 'first');
  }

  /** Waits until every message is sent. */
  async hasSentAll(): Promise<void> {
    await this.unsentItems().first().waitFor({ state: 'detached' });
  }

  /** Returns a person in the list of people who are online. */
  person(name: string): Locator {
    return this.people(false).filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** Returns a person in the list of members who are away; the list has to be open. */
  awayPerson(name: string): Locator {
    const away = this.page.getByRole('group').filter({ hasText: /\d+ away/ });
    return away.getByRole('listitem').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** Returns the violations of the policy of the page. */
  violations(): Promise<string[]> {
    return this.page.evaluate<string[]>('window.__violations');
  }

  /** Returns the value that the payloads set if they run. */
  xss(): Promise<unknown> {
    return this.page.evaluate('window.__xss');
  }

  /** Returns the entries of the lists of people; the list of members who are away may be closed. */
  people(includeHidden: boolean): Locator {
    return this.page
      .getByRole('region', { name: /^Online/, includeHidden })
      .getByRole('listitem', { includeHidden });
  }

  private unsentItems(): Locator {
    return this.log.getByRole('list', { name: 'Not sent yet' }).getByRole('listitem');
  }

  /** Reads a paragraph of each item: an unsent message has its text in the first, a message in the last. */
  private async lines(items: Locator, which: 'first' | 'last'): Promise<string[]> {
    const texts: string[] = [];
    for (const item of await items.all()) {
      texts.push((await item.getByRole('paragraph')[which]().textContent()) ?? '');
    }
    return texts;
  }
}
