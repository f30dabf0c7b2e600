import type { Page, WebSocketRoute } from 'playwright-core';

type Frame = Record<string, unknown>;

/** Callbacks for the frames of a page; `fromServer` returns whether a frame reaches the page. */
export interface Watch {
  fromPage?(frame: Frame): void;
  fromServer?(frame: Frame): boolean;
}

/** Connects a page and its server. */
export function passThrough(route: WebSocketRoute, watch: Watch): void {
  const server = route.connectToServer();
  route.onMessage((text) => {
    watch.fromPage?.(JSON.parse(String(text)) as Frame);
    server.send(text);
  });
  server.onMessage((text) => {
    const frame = JSON.parse(String(text)) as Frame;
    if (watch.fromServer?.(frame) ?? true) route.send(text);
  });
}

/** The network of a page, which can be cut and repaired. */
export class Network {
  private isCut = false;
  private readonly routes = new Set<WebSocketRoute>();

  constructor(private readonly watch: Watch = {}) {}

  /** Puts the network between a page and its server; pass it to a tab that is opened. */
  readonly prepare = (page: Page): Promise<void> =>
    page.routeWebSocket(/\/ws$/, (route) => {
      if (this.isCut) {
        void route.close({ code: 1012, reason: '' });
        return;
      }
      this.routes.add(route);
      passThrough(route, this.watch);
    });

  /** Closes the connections, and later ones at once. */
  async cut(): Promise<void> {
    this.isCut = true;
    const routes = [...this.routes];
    this.routes.clear();
    await Promise.all(routes.map((route) => route.close({ code: 1012, reason: '' })));
  }

  /** Allows connections again. */
  repair(): void {
    this.isCut = false;
  }
}
