import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import type { WriteTransaction } from '../database/write-job.js';
import { noSuchFile, tooLarge } from '../files/file-errors.js';
import { FileIntake, toStream } from '../files/file-intake.js';
import {
  attachFile,
  deleteFilesOf,
  findUnsent,
  insertFile,
  type MessageRef,
} from '../store/file-rows.js';
import { FilesService } from '../files/files.service.js';
import { toAttachment, type StoredFile } from '../store/stored-file.js';
import type { UploadLimit } from '../limits/hourly-rates.js';
import type { CommandData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Attachment } from '../protocol/models.js';
import { requireAccess } from '../rooms/policy.js';
import { isMessageStored } from '../store/message-rows.js';

type Send = CommandData<'message.send'>;
type Image = NonNullable<Send['image']>;

/** Attachments of messages (P-14.5, P-14.6). */
@Injectable()
export class MessageFiles {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly intake: FileIntake,
    private readonly files: FilesService,
  ) {}

  /**
   * Checks the number of files of a message, and the size of its image.
   *
   * @throws ProtocolError `limit_reached`, `too_large`
   */
  check({ files = [], image }: Send): void {
    const { filesPerMessage: value, inlineImageBytes } = this.config.limits;
    if (files.length + (image === undefined ? 0 : 1) > value) {
      const details = { limit: 'filesPerMessage', value };
      throw new ProtocolError('limit_reached', { details });
    }
    if (image !== undefined && Buffer.byteLength(image.data, 'base64') > inlineImageBytes) {
      throw tooLarge('inlineImageBytes', inlineImageBytes);
    }
  }

  /**
   * Returns whether a message is not stored yet, so that no image is processed needlessly.
   *
   * The transaction checks this again.
   *
   * @throws ProtocolError `not_found`, `not_member`
   */
  async isNew(sender: string, { room, message }: MessageRef): Promise<boolean> {
    return this.reader.snapshot(async ({ sql }) => {
      await requireAccess(sql, 'read', room, sender);
      return !(await isMessageStored(sql, message));
    });
  }

  /** Stores the image of a message; `commit` stores the message. */
  async ingestImage<T extends { readonly duplicate: boolean }>(
    ownerId: string,
    image: Image,
    limit: UploadLimit | undefined,
    commit: (file: StoredFile) => Promise<T>,
  ): Promise<T> {
    limit?.chargeFile();
    const { name } = image;
    const charge = limit === undefined ? undefined : (bytes: number) => limit.chargeBytes(bytes);
    const bytes = Buffer.from(image.data, 'base64');
    const origin = { ownerId, name, isImage: true, charge };
    return this.intake.ingest(toStream(bytes), origin, async (file) => {
      const result = await commit(file);
      return { isKept: !result.duplicate, result };
    });
  }

  /**
   * Finds the files to attach to a message, before anything is written.
   *
   * @throws ProtocolError `not_found`
   */
  async find(tx: WriteTransaction, ids: readonly string[], sender: string): Promise<StoredFile[]> {
    const since = tx.now() - this.config.limits.unsentMs;
    const files: StoredFile[] = [];
    for (const id of ids) {
      const file = await findUnsent(tx.sql, id, sender, since);
      if (file === null) throw noSuchFile();
      files.push(file);
    }
    return files;
  }

  /** Attaches files, and the image sent with the message; returns the attachments. */
  async attach(
    tx: WriteTransaction,
    files: readonly StoredFile[],
    image: StoredFile | undefined,
    { room, message }: MessageRef,
  ): Promise<Attachment[]> {
    if (image !== undefined) await insertFile(tx.sql, image, tx.now());
    const all = image === undefined ? files : [...files, image];
    for (const { id } of all) await attachFile(tx.sql, id, { room, message });
    return all.map(toAttachment);
  }

  /** Deletes the rows of the files of a message; returns the ids whose bytes are to be removed. */
  forget({ sql }: WriteTransaction, message: string): Promise<string[]> {
    return deleteFilesOf(sql, message);
  }

  /** Removes the bytes of files whose rows are deleted. */
  removeBytes(ids: readonly string[]): Promise<void> {
    return this.files.remove(ids);
  }
}
