/** What refuses a user uploads past a rate (P-9.10); each method throws `rate_limited`. */
export interface UploadLimit {
  /** Called once for each file, before its bytes are looked at. */
  begin(): void;
  /** Called with the bytes of the file, before they are stored for good. */
  take(bytes: number): void;
}
