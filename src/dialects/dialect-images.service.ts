import { Inject, Injectable } from '@nestjs/common';

import { HourlyRates } from '../chat/hourly-rates.js';
import { PresentUsers } from '../chat/present-users.js';
import { FilesService } from '../files/files.service.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Attachment, User } from '../protocol/models.js';

/** Bytes that make a data URL of 256 KiB, less what stands before them. */
const SHOWN_BYTES = 196_500;

/** Images of clients that know no addresses of files: as bytes in, as data URLs out. */
@Injectable()
export class DialectImages {
  constructor(
    @Inject(FilesService) private readonly files: FilesService,
    @Inject(HourlyRates) private readonly rates: HourlyRates,
    @Inject(PresentUsers) private readonly present: PresentUsers,
  ) {}

  /**
   * Stores an image of a user who is here; gives the id of the file.
   *
   * @throws ProtocolError as uploads do, and `image_unreadable` for what is no image
   */
  async store({ id }: User, bytes: Buffer, name: string): Promise<string> {
    const actor = this.present.find(id);
    if (actor === undefined) throw new ProtocolError('hello_required');
    const limit = this.rates.uploadsOf(id);
    const file = await this.files.store(actor, bytes, { name, limit });
    if (file.preview === undefined) throw new ProtocolError('image_unreadable');
    return file.id;
  }

  /** Gives an image as a data URL of at most 256 KiB; null if it is gone. */
  async dataUrl(image: Attachment): Promise<string | null> {
    const found = await this.files.readImage(image, SHOWN_BYTES);
    if (found === null) return null;
    return `data:${found.type};base64,${found.bytes.toString('base64')}`;
  }
}
