import { StartError } from './start-error.js';

const CAUSES: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  EACCES: ['This user may not write to the folder.', 'Give it write access'],
  EPERM: ['This user may not write to the folder.', 'Give it write access'],
  EROFS: ['The file system of the folder is read-only.', 'Mount it for writing'],
  ENOTDIR: ['A file exists in place of the folder.', 'Remove the file'],
  EEXIST: ['A file exists in place of the folder.', 'Remove the file'],
  ENOSPC: ['The disk of the folder is full.', 'Free some space'],
  EDQUOT: ['The disk quota of this user is used up.', 'Raise the quota'],
  ENAMETOOLONG: ['The path of the folder is too long.', 'Choose a shorter one'],
  EISDIR: ['A folder exists in place of a file.', 'Remove that folder'],
  ELOOP: ['Symbolic links form a loop.', 'Remove one of them'],
  // Node.js also reports this for a read-only file system and for a dangling link.
  ENOENT: [
    'The folder cannot be created: the file system is read-only, or a link is dangling.',
    'Mount it for writing, or fix the link',
  ],
};
const OTHER_CAUSE = ['The folder cannot be used.', 'Check the disk and its file system'] as const;

/**
 * Converts an error of the file system to one for the operator.
 *
 * @param setting name of the environment variable with the folder
 * @returns a {@link StartError}, or the error itself if it is not from the file system
 */
export function toFolderError(error: unknown, folder: string, setting: string): unknown {
  const { code = '', syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const [what, remedy] = CAUSES[code] ?? OTHER_CAUSE;
  return new StartError(
    {
      what,
      where: `${folder} (${setting}): ${message}`,
      remedy: `${remedy}, or set ${setting} to another folder.`,
    },
    { cause: error },
  );
}
