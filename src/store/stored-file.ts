import type { Attachment } from '../protocol/models.js';

const FILE_ID = /^[0-9a-f]{32}$/;

/** Width and height in pixels. */
export interface Dimensions {
  readonly width: number;
  readonly height: number;
}

/** Metadata of a file whose bytes are in the storage. */
export interface StoredFile {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly image?: Dimensions & { readonly preview: Dimensions };
}

/** Returns a file as an attachment of a message (P-14.4). */
export function toAttachment({ id, name, type, size, image }: StoredFile): Attachment {
  const url = `/api/files/${id}`;
  const file = { id, name, type, size, url };
  if (image === undefined) return file;
  const { width, height, preview } = image;
  return {
    ...file,
    width,
    height,
    preview: { url: `${url}/preview`, width: preview.width, height: preview.height },
  };
}

/** Returns whether a text has the form of a file id; only such texts become part of a path. */
export function isFileId(text: string): boolean {
  return FILE_ID.test(text);
}

/** Returns the storage key of the preview of a file. */
export function previewKey(id: string): string {
  return `${id}.preview`;
}
