import type { LimitName } from '../../protocol/limits.js';
import type { Dimensions } from '../../store/stored-file.js';
import type { ImageType } from './image-type.js';

/** Maximum decoded size of a light image in bytes; AVIF counts twice. */
export const LIGHT_BYTES = 48_000_000;

/** The limits that the header of an image is checked against (P-9.14). */
export type HeaderLimit = 'imageSide' | 'imagePixels' | 'imageDecodedBytes';

/** An image to decode: a file on the local disk. */
export interface ImageJob {
  readonly path: string;
  readonly type: ImageType;
  /** Whether to return `isHeavy` for a heavy image instead of decoding it. */
  readonly isLight: boolean;
  readonly limits: Readonly<Record<HeaderLimit, number>>;
}

/** A decoded image; the image and the preview to store are two files next to the original. */
export interface DecodedImage extends Dimensions {
  readonly size: number;
  readonly preview: Dimensions;
}

/** The result of a job, as the decoding process reports it. */
export type ImageResult =
  | { readonly image: DecodedImage }
  | { readonly isHeavy: true }
  | { readonly exceeded: LimitName }
  | { readonly isUnreadable: true }
  | { readonly failure: { readonly message: string; readonly code?: string | undefined } };

/** A message of the decoding process. */
export type ImageReport =
  | { readonly isReady: true }
  | { readonly isOutOfMemory: true }
  /** `isLast`: the server ends the process, to return its memory to the system. */
  | { readonly result: ImageResult; readonly isLast: boolean };

/** Returns the path to which the decoding process writes the image to store. */
export function imagePath(path: string): string {
  return `${path}.image`;
}

/** Returns the path to which the decoding process writes the preview. */
export function previewPath(path: string): string {
  return `${path}.preview`;
}
