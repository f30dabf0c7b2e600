import { Injectable } from '@nestjs/common';

import { PresentUsers } from '../chat/connections/present-users.js';
import { FilesService } from '../files/files.service.js';
import { HourlyRates } from '../limits/hourly-rates.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Attachment, User } from '../protocol/models.js';

/** Bytes whose data URL has at most 256 KiB, prefix included. */
const MAX_IMAGE_BYTES = 196_500;

/** Uploads and loads images for clients that send and show data URLs instead of file URLs. */
@Injectable()
export class DialectImages {
  constructor(
    private readonly files: FilesService,
    private readonly rates: HourlyRates,
    private readonly present: PresentUsers,
  ) {}

  /**
   * Uploads an image for a connected user; returns the id of the file.
   *
   * @throws ProtocolError as uploads do, and `image_unreadable` for other data
   */
  async store({ id }: User, bytes: Buffer, name: string): Promise<string> {
    const actor = this.present.find(id);
    if (actor === undefined) throw new ProtocolError('hello_required');
    const limit = this.rates.limitUpload(id);
    const file = await this.files.store(actor, bytes, { name, limit });
    if (file.preview === undefined) throw new ProtocolError('image_unreadable');
    return file.id;
  }

  /** Returns an image as a data URL of at most 256 KiB; null if it was deleted. */
  async dataUrl(image: Attachment): Promise<string | null> {
    const found = await this.files.readImage(image, MAX_IMAGE_BYTES);
    if (found === null) return null;
    return `data:${found.type};base64,${found.bytes.toString('base64')}`;
  }
}
