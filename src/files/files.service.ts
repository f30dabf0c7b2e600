import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { Inject, Injectable, Logger } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Attachment } from '../protocol/models.js';
import { isMember } from '../rooms/room-rows.js';
import type { Actor } from '../users/actor.js';
import { UsersService } from '../users/users.service.js';
import { noSuchFile } from './file-errors.js';
import { FileIntake, only } from './file-intake.js';
import { findFile, insertFile, sumUnsent } from './file-rows.js';
import { FILE_STORAGE, type FileStorage } from './file-storage.js';
import { PREVIEW_TYPE } from './image-type.js';
import { isFileId, previewKey, toAttachment, type StoredFile } from './stored-file.js';
import type { UploadLimit } from './upload-limit.js';

/** How long a client that has too many uploads at work waits; nobody knows when one ends. */
const BUSY_RETRY_MS = 1_000;

/** What a user gives to be stored beside its bytes. */
export interface StoreOptions {
  readonly name?: string | undefined;
  readonly limit?: UploadLimit | undefined;
}

/** A file that is being read. */
export interface OpenedFile {
  readonly file: StoredFile;
  readonly bytes: Readable;
}

/** Files: stored for a user, and read by those who may (P-14). */
@Injectable()
export class FilesService {
  private readonly logger = new Logger(FilesService.name);
  /** Uploads at work of each user that has some. */
  private readonly running = new Map<string, number>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(UsersService) private readonly users: UsersService,
    @Inject(FileIntake) private readonly intake: FileIntake,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  /**
   * Stores a file that no message has yet, from a stream or from memory (P-14.1).
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
      limit?.begin();
      const stream = source instanceof Uint8Array ? only(source) : source;
      const charge = limit === undefined ? undefined : (bytes: number) => limit.take(bytes);
      return await this.intake.bring(stream, { ownerId: actor.id, name, charge }, async (file) => {
        await this.writer.run((tx) => this.makeKnown(tx, actor, file));
        return { isKept: true, result: toAttachment(file) };
      });
    } finally {
      ended();
    }
  }

  /**
   * Opens a file, or its preview, for a user who may read it now (P-14.7).
   *
   * @throws ProtocolError `not_found`
   */
  async open(userId: string, id: string, part: 'file' | 'preview' = 'file'): Promise<OpenedFile> {
    const file = await this.findFor(userId, id);
    if (file === null) throw noSuchFile();
    if (part === 'preview' && file.image === undefined) throw noSuchFile();
    const bytes = await this.storage.open(part === 'file' ? id : previewKey(id));
    if (bytes === null) throw noSuchFile();
    return { file, bytes };
  }

  /**
   * Reads an image, or its preview if it has more bytes than these, for who may read the message.
   *
   * Gives null if it is gone.
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

  /** Removes the bytes of files that are not known any more; what fails is left to the sweeper. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      try {
        await this.intake.remove(id);
      } catch (error) {
        this.logger.warn({ msg: 'The bytes of a file were not removed', file: id, err: error });
      }
    }
  }

  private async makeKnown(tx: WriteTransaction, actor: Actor, file: StoredFile): Promise<void> {
    const { unsentBytes: value } = this.config.limits;
    const bytes = await sumUnsent(tx.sql, actor.id);
    if (bytes + file.size > value) {
      const details = { limit: 'unsentBytes', value };
      throw new ProtocolError('limit_reached', { details });
    }
    await this.users.store(tx, actor);
    await insertFile(tx.sql, file, Date.now());
  }

  private async findFor(userId: string, id: string): Promise<StoredFile | null> {
    if (!isFileId(id)) return null;
    return this.reader.snapshot(async ({ sql }) => {
      const found = await findFile(sql, id);
      if (found === null) return null;
      const { file, roomId, createdAt } = found;
      if (roomId !== null) return (await isMember(sql, roomId, userId)) ? file : null;
      const isFresh = createdAt > Date.now() - this.config.limits.unsentMs;
      return file.ownerId === userId && isFresh ? file : null;
    });
  }

  /** Counts an upload until it has ended, which is told by what this gives. */
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
