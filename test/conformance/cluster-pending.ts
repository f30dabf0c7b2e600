/** Requirements that several servers do not meet yet: a part of the title, and the reason. */
export const PENDING: readonly (readonly [title: string, reason: string])[] = [
  [
    'removes a guest who is away for a long time from the room',
    'it moves the clock of all servers by more than the time that a guest may be away',
  ],
  [
    'supports messages, history, resume, sync, presence, typing and renames',
    'servers do not share presence yet',
  ],
  [
    'stores a guest at the first command that writes',
    'servers that share a database store a guest at hello',
  ],
];
