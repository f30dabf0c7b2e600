/** URLs at which a proxy serves Parlance, one per example. */
export interface ProxiedSites {
  /** URL of `root`, without a trailing slash. */
  readonly root: string;
  /** URL of `sub-path`, without a trailing slash. */
  readonly subPath: string;
  /** URL of `tls`, without a trailing slash. */
  readonly tls: string;
  /** Certificate of `tls`. */
  readonly certificate: string;
  /** Stops the proxy. */
  stop(): Promise<void>;
}
