import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import type { Sql } from '../database/sql.js';
import type { WriteTransaction } from '../database/writer.js';
import { noSuchFile, tooLarge } from '../files/file-errors.js';
import { FileIntake, only } from '../files/file-intake.js';
import { deleteFilesOf, findUnsent, insertFile, takeFile } from '../files/file-rows.js';
import { FilesService } from '../files/files.service.js';
import { toAttachment, type StoredFile } from '../files/stored-file.js';
import type { UploadLimit } from '../files/upload-limit.js';
import type { CommandData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Attachment } from '../protocol/models.js';
import { requireMember } from '../rooms/room-rows.js';
import { isMessageStored } from './message-rows.js';

type Send = CommandData<'message.send'>;
type Image = NonNullable<Send['image']>;

/** The message that takes files, and its room. */
interface Taker {
  readonly room: string;
  readonly message: string;
}

/** The files that messages take with them (P-14.5, P-14.6). */
@Injectable()
export class MessageFiles {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(FileIntake) private readonly intake: FileIntake,
    @Inject(FilesService) private readonly files: FilesService,
  ) {}

  /**
   * Refuses more files than a message may have, and an image with too many bytes.
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
   * Tells whether a message is not there yet, before the work for an image in it is done.
   *
   * What is decided here is decided again in the transaction: it only spares work.
   *
   * @throws ProtocolError `not_found`, `not_member`
   */
  async isNew(sender: string, { room, message }: Taker): Promise<boolean> {
    return this.reader.snapshot(async ({ sql }) => {
      await requireMember(sql, room, sender);
      return !(await isMessageStored(sql, message));
    });
  }

  /** Stores the image of a message; `commit` stores the message, and tells whether it took it. */
  async bring<T extends { readonly duplicate: boolean }>(
    ownerId: string,
    image: Image,
    limit: UploadLimit | undefined,
    commit: (file: StoredFile) => Promise<T>,
  ): Promise<T> {
    limit?.begin();
    const { name } = image;
    const charge = limit === undefined ? undefined : (bytes: number) => limit.take(bytes);
    const bytes = Buffer.from(image.data, 'base64');
    const origin = { ownerId, name, isImage: true, charge };
    return this.intake.bring(only(bytes), origin, async (file) => {
      const result = await commit(file);
      return { isKept: !result.duplicate, result };
    });
  }

  /**
   * Finds the files that a message is to take, before anything is written.
   *
   * @throws ProtocolError `not_found`
   */
  async find(sql: Sql, ids: readonly string[], sender: string): Promise<StoredFile[]> {
    const since = Date.now() - this.config.limits.unsentMs;
    const files: StoredFile[] = [];
    for (const id of ids) {
      const file = await findUnsent(sql, id, sender, since);
      if (file === null) throw noSuchFile();
      files.push(file);
    }
    return files;
  }

  /** Gives files to a message, and the image that came with it; gives what the message names. */
  async take(
    { sql }: WriteTransaction,
    files: readonly StoredFile[],
    image: StoredFile | undefined,
    { room, message }: Taker,
  ): Promise<Attachment[]> {
    if (image !== undefined) await insertFile(sql, image, Date.now());
    const all = image === undefined ? files : [...files, image];
    for (const { id } of all) await takeFile(sql, id, { room, message });
    return all.map(toAttachment);
  }

  /** Forgets the files of a message that is deleted; gives whose bytes are to be removed then. */
  forget({ sql }: WriteTransaction, message: string): Promise<string[]> {
    return deleteFilesOf(sql, message);
  }

  /** Removes the bytes of files that are forgotten. */
  removeBytes(ids: readonly string[]): Promise<void> {
    return this.files.remove(ids);
  }
}
