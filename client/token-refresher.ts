import type { EventData } from '#src/protocol/events.js';

import { CommandError } from './command-error.js';
import type { CommandSender } from './command-sender.js';
import type { TokenKeeper } from './token-keeper.js';

/** Renews the token of a session before it expires (P-2.9). */
export class TokenRefresher {
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `onRefusal` is called if the server does not renew the token. */
  constructor(
    private readonly sender: CommandSender,
    private readonly tokens: TokenKeeper,
    private readonly onRefusal: (error: CommandError) => void,
  ) {}

  /** Handles the announcement of the server. */
  expiring({ inMs }: EventData<'auth.expiring'>): void {
    this.stop();
    this.timer = setTimeout(() => {
      void this.refresh();
    }, this.tokens.refreshDelay(inMs));
  }

  /** Cancels a renewal: the hello of the next session returns a token. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private async refresh(): Promise<void> {
    try {
      const { token, expiresAt } = await this.sender.send('auth.refresh', {}, { isBound: true });
      this.tokens.keep(token, expiresAt);
    } catch (error) {
      if (error instanceof CommandError) this.onRefusal(error);
    }
  }
}
