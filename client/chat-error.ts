/** An error of the client: `code` is for programs, `message` says what happened and what to do. */
export abstract class ChatError extends Error {
  abstract readonly code: string;
}
