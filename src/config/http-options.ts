/** Routes that Parlance serves over HTTP besides its transports and files. */
export interface HttpOptions {
  /**
   * Path under which everything is served; `/` by default.
   *
   * With `/chat`, clients connect to `/chat/ws` and `/chat/socket.io/`, and upload to
   * `/chat/api/files`.
   */
  readonly path?: string;
  /** Serves `healthz` and `readyz`. */
  readonly health?: boolean;
  /** Serves the protocol at `docs/protocol.md`. */
  readonly docs?: boolean;
  /** Serves the page, or the folder `PARLANCE_PAGES_DIR`, at the path itself. */
  readonly page?: boolean;
  /** Serves the pages of the dialects, for requests that no other route answers. */
  readonly dialects?: boolean;
}

/** The {@link HttpOptions} with all defaults filled in. */
export interface HttpSettings extends Required<HttpOptions> {
  /** `/chat` for `/chat/`; empty for `/`. */
  readonly path: string;
}

/** Token by which the {@link HttpSettings} are injected. */
export const HTTP_SETTINGS = Symbol('HttpSettings');

const PATH = /^(\/[\w.~-]+)*\/?$/;

/**
 * Fills in the defaults: no optional route is served.
 *
 * @throws Error for a path that is invalid in a URL
 */
export function httpSettings(options: HttpOptions = {}): HttpSettings {
  const { path = '', health = false, docs = false, page = false, dialects = false } = options;
  if (!PATH.test(path)) {
    throw new Error(`The path ${JSON.stringify(path)} is invalid. Use a path such as "/chat".`);
  }
  return { path: path.replace(/\/$/, ''), health, docs, page, dialects };
}
