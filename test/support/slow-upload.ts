import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';

import type { HttpAnswer } from './uploads.js';

/** An upload whose body a test sends in parts. */
export class SlowUpload {
  /** Whether the server asked for the body (`Expect: 100-continue`). */
  isContinued = false;
  private readonly request: ClientRequest;
  private readonly answered: Promise<HttpAnswer>;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.request = request(url, { method: 'POST', headers, agent: false });
    this.request.on('continue', () => (this.isContinued = true));
    // The server may close the connection after its response.
    this.request.on('error', () => undefined);
    this.answered = once(this.request, 'response').then(([response]) =>
      readAnswer(response as IncomingMessage),
    );
    this.request.flushHeaders();
  }

  write(bytes: Buffer): void {
    this.request.write(bytes);
  }

  end(): void {
    this.request.end();
  }

  /** Waits until the server asks for the body. */
  async continued(): Promise<void> {
    if (!this.isContinued) await once(this.request, 'continue');
  }

  answer(): Promise<HttpAnswer> {
    return this.answered;
  }

  abort(): void {
    this.request.destroy();
  }
}

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const headers = new Headers(response.headers as Record<string, string>);
  return { status: response.statusCode ?? 0, headers, bytes: Buffer.concat(chunks) };
}
