import { pipeline } from 'node:stream/promises';

import {
  Controller,
  Get,
  HttpCode,
  Inject,
  Options,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { create as contentDisposition } from 'content-disposition';
import type { Request, Response } from 'express';

import { HourlyRates } from '../chat/hourly-rates.js';
import { CONFIG, type Config } from '../config/config.js';
import { tooLarge } from '../files/file-errors.js';
import { FilesService, type OpenedFile } from '../files/files.service.js';
import { ProtocolError } from '../protocol/errors.js';
import { FileName, type Attachment } from '../protocol/models.js';
import type { Actor } from '../users/actor.js';
import { TokenOwners } from '../users/token-owners.js';
import { HttpErrorFilter } from './http-error.filter.js';
import { OriginGuard } from './origin.guard.js';

const BEARER = /^Bearer +(\S+)$/i;
/** What would lead out of a folder, where somebody saves a file by its name. */
const SEPARATORS = /[/\\]/g;
const ALLOWED = {
  'Access-Control-Allow-Methods': 'GET, POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type',
  'Access-Control-Max-Age': '600',
};
/** What comes from users is shown by nobody as a page of this server. */
const GUARDED = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'private, no-store',
};

/** Files over HTTP: uploaded by their bytes, and read by those who may (P-14). */
@Controller('api/files')
@UseGuards(OriginGuard)
@UseFilters(HttpErrorFilter)
export class FilesController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(FilesService) private readonly files: FilesService,
    @Inject(TokenOwners) private readonly owners: TokenOwners,
    @Inject(HourlyRates) private readonly rates: HourlyRates,
  ) {}

  /** Tells browsers what pages of other origins may do; the guard has told which origins. */
  @Options(['', ':id', ':id/preview'])
  @HttpCode(204)
  allow(@Res({ passthrough: true }) response: Response): void {
    response.set(ALLOWED);
  }

  @Post()
  async upload(@Req() request: Request, @Query('name') given: unknown): Promise<Attachment> {
    const actor = await this.actorOf(request);
    const name = given === undefined ? undefined : nameOf(given);
    const { fileBytes } = this.config.limits;
    if (Number(request.headers['content-length'] ?? 0) > fileBytes) {
      throw tooLarge('fileBytes', fileBytes);
    }
    const limit = this.rates.uploadsOf(actor.id);
    // The connection is needed for the answer, also if the rest of the bytes is not read.
    const bytes = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    return this.files.store(actor, bytes, { name, limit });
  }

  @Get(':id')
  async read(
    @Param('id') id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { id: userId } = await this.actorOf(request);
    const opened = await this.files.open(userId, id);
    const { type, size } = opened.file;
    await this.send(response, opened, { type, size });
  }

  @Get(':id/preview')
  async readPreview(
    @Param('id') id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { id: userId } = await this.actorOf(request);
    const opened = await this.files.open(userId, id, 'preview');
    await this.send(response, opened, { type: 'image/webp' });
  }

  private async actorOf(request: Request): Promise<Actor> {
    const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? [];
    if (token !== undefined && !('token' in request.query)) return this.owners.get(token);
    const message = 'Send the token in an Authorization header, never in the URL.';
    throw new ProtocolError('token_invalid', { message });
  }

  private async send(
    response: Response,
    { file, bytes }: OpenedFile,
    { type, size }: { type: string; size?: number },
  ): Promise<void> {
    const isShown = file.image !== undefined;
    response.set({
      ...GUARDED,
      'Content-Type': type,
      'Content-Disposition': contentDisposition(file.name.replace(SEPARATORS, '_'), {
        type: isShown ? 'inline' : 'attachment',
      }),
      ...(size === undefined ? {} : { 'Content-Length': String(size) }),
    });
    // Nothing else ends it: who never reads would keep a file and a connection open for ever.
    response.setTimeout(this.config.limits.stallMs, () => response.destroy());
    await pipeline(bytes, response);
  }
}

function nameOf(given: unknown): string {
  const result = FileName.safeParse(given);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ message }) => ({ path: 'name', message }));
  const message = `name: ${issues[0]?.message ?? 'is wrong'}`;
  throw new ProtocolError('invalid', { message, details: { issues } });
}
