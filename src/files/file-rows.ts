import type { Sql } from '../database/sql.js';
import type { StoredFile } from './stored-file.js';

interface FileRow {
  id: string;
  owner_id: string;
  message_id: string | null;
  room_id: string | null;
  name: string;
  type: string;
  size: number;
  width: number | null;
  height: number | null;
  preview_width: number | null;
  preview_height: number | null;
  created_at: number;
}

/** Where a file was sent to; as long as no message has it, when it was uploaded. */
export interface FoundFile {
  readonly file: StoredFile;
  readonly roomId: string | null;
  readonly createdAt: number;
}

const COLUMNS = `id, owner_id, message_id, room_id, name, type, size, width, height,
  preview_width, preview_height, created_at`;

/** Makes a file known, as one that no message has. */
export async function insertFile(sql: Sql, file: StoredFile, now: number): Promise<void> {
  const { id, ownerId, name, type, size, image } = file;
  await sql.run(
    `INSERT INTO files (${COLUMNS}) VALUES (?, ?, NULL, NULL, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[id, ownerId, name, type, size, image?.width ?? null, image?.height ?? null],
    ...[image?.preview.width ?? null, image?.preview.height ?? null, now],
  );
}

/** Finds a file. */
export async function findFile(sql: Sql, id: string): Promise<FoundFile | null> {
  const row = await sql.get<FileRow>(`SELECT ${COLUMNS} FROM files WHERE id = ?`, id);
  if (row === undefined) return null;
  return { file: toFile(row), roomId: row.room_id, createdAt: row.created_at };
}

/** Finds a file of a user that was uploaded after a time and that no message has. */
export async function findUnsent(
  sql: Sql,
  id: string,
  owner: string,
  since: number,
): Promise<StoredFile | null> {
  const row = await sql.get<FileRow>(
    `SELECT ${COLUMNS} FROM files
      WHERE id = ? AND owner_id = ? AND message_id IS NULL AND created_at > ?`,
    id,
    owner,
    since,
  );
  return row === undefined ? null : toFile(row);
}

/** Adds up the files of a user that no message has. */
export async function sumUnsent(sql: Sql, owner: string): Promise<number> {
  const row = await sql.get<{ bytes: number | null }>(
    `SELECT CAST(SUM(size) AS bigint) AS bytes FROM files
      WHERE owner_id = ? AND message_id IS NULL`,
    owner,
  );
  return row?.bytes ?? 0;
}

/** Gives a file to a message, for good. */
export async function takeFile(
  sql: Sql,
  id: string,
  { room, message }: { room: string; message: string },
): Promise<void> {
  await sql.run('UPDATE files SET room_id = ?, message_id = ? WHERE id = ?', room, message, id);
}

/** Forgets the files of a message; gives their ids. */
export async function deleteFilesOf(sql: Sql, message: string): Promise<string[]> {
  const rows = await sql.all<{ id: string }>('SELECT id FROM files WHERE message_id = ?', message);
  if (rows.length > 0) await sql.run('DELETE FROM files WHERE message_id = ?', message);
  return rows.map(({ id }) => id);
}

/** Forgets some of the files that no message took and that are older; gives their ids. */
export async function deleteUnsent(sql: Sql, until: number, limit: number): Promise<string[]> {
  const rows = await sql.all<{ id: string }>(
    'SELECT id FROM files WHERE message_id IS NULL AND created_at <= ? LIMIT ?',
    until,
    limit,
  );
  for (const { id } of rows) await sql.run('DELETE FROM files WHERE id = ?', id);
  return rows.map(({ id }) => id);
}

/** Tells which of these files are known. */
export async function findKnown(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  const places = ids.map(() => '?').join(', ');
  const known = `SELECT id FROM files WHERE id IN (${places})`;
  const rows = await sql.all<{ id: string }>(known, ...ids);
  return new Set(rows.map(({ id }) => id));
}

function toFile(row: FileRow): StoredFile {
  const { id, owner_id: ownerId, name, type, size, width, height } = row;
  const { preview_width: previewWidth, preview_height: previewHeight } = row;
  const file = { id, ownerId, name, type, size };
  if (width === null || height === null || previewWidth === null || previewHeight === null) {
    return file;
  }
  const preview = { width: previewWidth, height: previewHeight };
  return { ...file, image: { width, height, preview } };
}
