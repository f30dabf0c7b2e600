import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { Inject, Injectable, Logger } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import type { WriteTransaction } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Attachment } from '../protocol/models.js';
import { may } from '../rooms/policy.js';
import { findAccess } from '../store/room-rows.js';
import { declareOwnLog, type Actor } from '../store/actor.js';
import { UsersService } from '../users/users.service.js';
import { noSuchFile } from './file-errors.js';
import { FileIntake, toStream } from './file-intake.js';
import { findFile, insertFile, sumUnsent, type FoundFile } from '../store/file-rows.js';
import { FILE_STORAGE, type ByteRange, type FileStorage } from './file-storage.js';
import { PREVIEW_TYPE } from './images/image-type.js';
import { isFileId, previewKey, toAttachment, type StoredFile } from '../store/stored-file.js';
import type { UploadLimit } from '../limits/hourly-rates.js';

/** Retry delay for a client with too many parallel uploads, whose end is unknown. */
const BUSY_RETRY_MS = 1_000;

/** Options of an upload. */
export interface StoreOptions {
  readonly name?: string | undefined;
  readonly limit?: UploadLimit | undefined;
}

/** A file, and the message that it is attached to. */
export type ReadableFile = Pick<FoundFile, 'file' | 'attachedTo'>;

/** Stores and reads files (P-14). */
@Injectable()
export class FilesService {
  private readonly logger = new Logger(FilesService.name);
  /** Number of running uploads by user id. */
  private readonly running = new Map<string, number>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly writer: Writer,
    private readonly users: UsersService,
    private readonly intake: FileIntake,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  /**
   * Stores a file that is not attached to a message yet, from a stream or memory (P-14.1).
   *
   * @throws ProtocolError `invalid`, `too_large`, `image_unreadable`, `limit_reached`,
   *   `rate_limited`, `unavailable`
   */
  async store(
    actor: Actor,
    source: AsyncIterable<Uint8Array> | Uint8Array,
    { name, limit }: StoreOptions = {},
  ): Promise<Attachment> {
    const ended = this.begin(actor.id);
    try {
      limit?.chargeFile();
      const stream = source instanceof Uint8Array ? toStream(source) : source;
      const charge = limit === undefined ? undefined : (bytes: number) => limit.chargeBytes(bytes);
      return await this.intake.ingest(stream, { ownerId: actor.id, name, charge }, async (file) => {
        await this.writer.run([declareOwnLog(actor)], (tx) => this.insert(tx, actor, file));
        return { isKept: true, result: toAttachment(file) };
      });
    } finally {
      ended();
    }
  }

  /**
   * Returns a file if the user may read it now (P-14.7).
   *
   * @throws ProtocolError `not_found`
   */
  async find(userId: string, id: string): Promise<ReadableFile> {
    const found = await this.findFor(userId, id);
    if (found === null) throw noSuchFile();
    return found;
  }

  /**
   * Opens the bytes of a file that was found, or a range of them.
   *
   * @throws ProtocolError `not_found` if they are gone
   */
  openBytes({ id }: StoredFile, range?: ByteRange): Promise<Readable> {
    return this.open(id, range);
  }

  /**
   * Opens the preview of a file that was found.
   *
   * @throws ProtocolError `not_found` if it is gone
   */
  openPreview({ id }: StoredFile): Promise<Readable> {
    return this.open(previewKey(id));
  }

  /**
   * Reads an image, or its preview if the image is larger than `mostBytes`. Does not check access.
   *
   * Returns null if the bytes are gone.
   */
  async readImage(
    { id, size, type }: Attachment,
    mostBytes: number,
  ): Promise<{ readonly bytes: Buffer; readonly type: string } | null> {
    const isSmall = size <= mostBytes;
    const found = isFileId(id) ? await this.storage.open(isSmall ? id : previewKey(id)) : null;
    if (found === null) return null;
    return { bytes: await buffer(found), type: isSmall ? type : PREVIEW_TYPE };
  }

  /** Removes the bytes of deleted files; the sweeper retries failures. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      try {
        await this.intake.remove(id);
      } catch (error) {
        this.logger.warn({ msg: 'The bytes of a file could not be removed', file: id, err: error });
      }
    }
  }

  private async insert(tx: WriteTransaction, actor: Actor, file: StoredFile): Promise<void> {
    const { unsentBytes: value } = this.config.limits;
    const bytes = await sumUnsent(tx.sql, actor.id);
    if (bytes + file.size > value) {
      const details = { limit: 'unsentBytes', value };
      throw new ProtocolError('limit_reached', { details });
    }
    await this.users.store(tx, actor);
    await insertFile(tx.sql, file, tx.now());
  }

  private async open(key: string, range?: ByteRange): Promise<Readable> {
    const bytes = await this.storage.open(key, range);
    if (bytes === null) throw noSuchFile();
    return bytes;
  }

  private async findFor(userId: string, id: string): Promise<ReadableFile | null> {
    if (!isFileId(id)) return null;
    return this.reader.snapshot(async ({ sql }) => {
      const found = await findFile(sql, id);
      if (found === null) return null;
      const { file, attachedTo, createdAt } = found;
      if (attachedTo !== null) {
        const access = await findAccess(sql, attachedTo.room, userId);
        return access !== null && may('read', access) ? { file, attachedTo } : null;
      }
      const isFresh = createdAt > this.writer.now() - this.config.limits.unsentMs;
      return file.ownerId === userId && isFresh ? { file, attachedTo } : null;
    });
  }

  /** Counts a running upload; returns the function that ends it. */
  private begin(userId: string): () => void {
    const running = this.running.get(userId) ?? 0;
    if (running >= this.config.limits.uploadsAtOnce) {
      const details = { bucket: 'uploadsAtOnce' };
      throw new ProtocolError('rate_limited', { retryAfterMs: BUSY_RETRY_MS, details });
    }
    this.running.set(userId, running + 1);
    return () => {
      const left = (this.running.get(userId) ?? 1) - 1;
      if (left === 0) this.running.delete(userId);
      else this.running.set(userId, left);
    };
  }
}
