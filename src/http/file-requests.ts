import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { Inject, Injectable } from '@nestjs/common';
import { create as contentDisposition } from 'content-disposition';
import type { Request, Response } from 'express';

import { BOT_PORT, type BotPort } from '../chat/ports/bot-port.js';
import { HourlyRates } from '../limits/hourly-rates.js';
import { CONFIG, type Config } from '../config/config.js';
import { emptyFile, noSuchFile, tooLarge } from '../files/file-errors.js';
import type { ByteRange } from '../files/file-storage.js';
import { FilesService } from '../files/files.service.js';
import { PREVIEW_TYPE } from '../files/images/image-type.js';
import type { StoredFile } from '../store/stored-file.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Attachment } from '../protocol/models.js';
import type { Actor } from '../store/actor.js';
import { TokenOwners } from '../users/token-owners.js';
import { readUploadBody, readUploadName } from './read-upload.js';

const BEARER = /^Bearer +(\S+)$/i;
const LAST_BYTES = /^bytes=-(\d+)$/;
/** Characters that would let a file name point out of the folder it is saved in. */
const SEPARATORS = /[/\\]/g;
const CORS_HEADERS = {
  'Access-Control-Allow-Methods': 'GET, POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-None-Match, If-Range, Range',
  'Access-Control-Max-Age': '600',
};
/** Prevents browsers from rendering uploaded files as pages of this server. */
const SAFETY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
  // The bytes never change, but the right to read them does: caches revalidate each request.
  'Cache-Control': 'private, no-cache',
};

/** Handles uploads and downloads of files over HTTP (P-14). */
@Injectable()
export class FileRequests {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly files: FilesService,
    private readonly owners: TokenOwners,
    private readonly rates: HourlyRates,
    @Inject(BOT_PORT) private readonly bots: BotPort,
  ) {}

  /** Answers a CORS preflight; the router has checked the origin. */
  preflight(response: Response): void {
    response.set(CORS_HEADERS).status(204).end();
  }

  async upload(request: Request, response: Response): Promise<Attachment> {
    const actor = await this.actorOf(request);
    this.bots.checkUpload(actor);
    const name = readUploadName(request.url);
    const { fileBytes } = this.config.limits;
    const length = request.headers['content-length'];
    if (Number(length ?? 0) > fileBytes) throw tooLarge('fileBytes', fileBytes);
    if (Number(length ?? 1) === 0) throw emptyFile();
    const limit = this.rates.limitUpload(actor.id);
    const bytes = readUploadBody(request, response, this.config.limits);
    return this.files.store(actor, bytes, { name, limit });
  }

  async read(request: Request, response: Response, id: string): Promise<void> {
    const file = await this.readableFile(request, id);
    const etag = `"${file.id}"`;
    response.set({ ...headersOf(file), 'Content-Type': file.type, ETag: etag });
    response.set('Accept-Ranges', 'bytes');
    if (answeredNotModified(request, response)) return;
    const range = rangeOf(request, file.size, etag);
    if (range === 'unsatisfiable') {
      response
        .status(416)
        .set('Content-Range', `bytes */${String(file.size)}`)
        .end();
      return;
    }
    if (range !== null) {
      const { start, end } = range;
      response.status(206);
      response.set('Content-Range', `bytes ${String(start)}-${String(end)}/${String(file.size)}`);
    }
    const length = range === null ? file.size : range.end - range.start + 1;
    response.set('Content-Length', String(length));
    await this.send(response, await this.files.openBytes(file, range ?? undefined));
  }

  async readPreview(request: Request, response: Response, id: string): Promise<void> {
    const file = await this.readableFile(request, id);
    if (file.image === undefined) throw noSuchFile();
    const etag = `"${file.id}-preview"`;
    response.set({ ...headersOf(file), 'Content-Type': PREVIEW_TYPE, ETag: etag });
    if (answeredNotModified(request, response)) return;
    await this.send(response, await this.files.openPreview(file));
  }

  /** Returns a file that the actor may read. A bot may read fewer messages than a member. */
  private async readableFile(request: Request, id: string): Promise<StoredFile> {
    const actor = await this.actorOf(request);
    const { file, attachedTo } = await this.files.find(actor.id, id);
    if (actor.kind === 'bot' && attachedTo !== null) {
      if (!(await this.bots.mayReadMessage(actor, attachedTo))) throw noSuchFile();
    }
    return file;
  }

  private async actorOf(request: Request): Promise<Actor> {
    const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? [];
    if (token !== undefined && !('token' in request.query)) return this.owners.get(token);
    const message = 'Send the token in an Authorization header, never in the URL.';
    throw new ProtocolError('token_invalid', { message });
  }

  private async send(response: Response, bytes: Readable): Promise<void> {
    // Otherwise a client that never reads would keep the file open forever.
    response.setTimeout(this.config.limits.stallMs, () => response.destroy());
    await pipeline(bytes, response);
  }
}

function headersOf({ name, image }: StoredFile): Record<string, string> {
  const type = image === undefined ? 'attachment' : 'inline';
  const disposition = contentDisposition(name.replace(SEPARATORS, '_'), { type });
  return { ...SAFETY_HEADERS, 'Content-Disposition': disposition };
}

/** Answers 304 if the client already has the bytes; ignores the `Cache-Control` of the request. */
function answeredNotModified(request: Request, response: Response): boolean {
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim()) ?? [];
  const etag = response.get('ETag') ?? '';
  if (!known.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) return false;
  response.status(304).end();
  return true;
}

/** Returns the requested range; null for the whole file. Several ranges are answered in full. */
function rangeOf(request: Request, size: number, etag: string): ByteRange | 'unsatisfiable' | null {
  const condition = request.headers['if-range'];
  if (request.method !== 'GET' || (condition !== undefined && condition !== etag)) return null;
  const ranges = request.range(size, { combine: true });
  if (ranges === -1) return suffixRange(request, size);
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes') return null;
  const [range] = ranges;
  return range === undefined || ranges.length > 1 ? null : { start: range.start, end: range.end };
}

/** Returns the whole file if it is shorter than the requested suffix, which Express refuses. */
function suffixRange({ headers }: Request, size: number): ByteRange | 'unsatisfiable' {
  const [, last] = LAST_BYTES.exec(headers.range ?? '') ?? [];
  return Number(last) > size ? { start: 0, end: size - 1 } : 'unsatisfiable';
}
