import { parameters, type Sql } from '../database/sql.js';
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

/** The message that a file is attached to. */
export interface MessageRef {
  readonly room: string;
  readonly message: string;
}

/** A file, the message that it is attached to, and the time of its upload. */
export interface FoundFile {
  readonly file: StoredFile;
  readonly attachedTo: MessageRef | null;
  readonly createdAt: number;
}

const COLUMNS = `id, owner_id, message_id, room_id, name, type, size, width, height,
  preview_width, preview_height, created_at`;

/** Inserts a file that is not attached to a message yet. */
export async function insertFile(sql: Sql, file: StoredFile, now: number): Promise<void> {
  const { id, ownerId, name, type, size, image } = file;
  await sql.run(
    `INSERT INTO files (${COLUMNS}) VALUES ($1, $2, NULL, NULL, $3, $4, $5, $6, $7, $8, $9, $10)`,
    ...[id, ownerId, name, type, size, image?.width ?? null, image?.height ?? null],
    ...[image?.preview.width ?? null, image?.preview.height ?? null, now],
  );
}

/** Finds a file. */
export async function findFile(sql: Sql, id: string): Promise<FoundFile | null> {
  const row = await sql.get<FileRow>(`SELECT ${COLUMNS} FROM files WHERE id = $1`, id);
  if (row === undefined) return null;
  const { room_id: room, message_id: message, created_at: createdAt } = row;
  const attachedTo = room === null || message === null ? null : { room, message };
  return { file: toFile(row), attachedTo, createdAt };
}

/** Finds a file that a user uploaded after a time and that is not attached to a message. */
export async function findUnsent(
  sql: Sql,
  id: string,
  owner: string,
  since: number,
): Promise<StoredFile | null> {
  const row = await sql.get<FileRow>(
    `SELECT ${COLUMNS} FROM files
      WHERE id = $1 AND owner_id = $2 AND message_id IS NULL AND created_at > $3`,
    id,
    owner,
    since,
  );
  return row === undefined ? null : toFile(row);
}

/** Returns the bytes of the files of a user that are not attached to a message. */
export async function sumUnsent(sql: Sql, owner: string): Promise<number> {
  const row = await sql.get<{ bytes: number | null }>(
    `SELECT CAST(SUM(size) AS bigint) AS bytes FROM files
      WHERE owner_id = $1 AND message_id IS NULL`,
    owner,
  );
  return row?.bytes ?? 0;
}

/** Attaches a file to a message, permanently. */
export async function attachFile(
  sql: Sql,
  id: string,
  { room, message }: MessageRef,
): Promise<void> {
  await sql.run('UPDATE files SET room_id = $1, message_id = $2 WHERE id = $3', room, message, id);
}

/** Deletes the rows of the files of a message; returns their ids. */
export async function deleteFilesOf(sql: Sql, message: string): Promise<string[]> {
  const rows = await sql.all<{ id: string }>('SELECT id FROM files WHERE message_id = $1', message);
  if (rows.length > 0) await sql.run('DELETE FROM files WHERE message_id = $1', message);
  return rows.map(({ id }) => id);
}

/**
 * Deletes some rows of unattached files that were uploaded until a time; returns their ids.
 *
 * Another process may attach a file meanwhile: each row is checked as it is deleted.
 */
export async function deleteUnsent(sql: Sql, until: number, limit: number): Promise<string[]> {
  const rows = await sql.all<{ id: string }>(
    'SELECT id FROM files WHERE message_id IS NULL AND created_at <= $1 LIMIT $2',
    until,
    limit,
  );
  const deleted: string[] = [];
  for (const { id } of rows) {
    const remove = 'DELETE FROM files WHERE id = $1 AND message_id IS NULL RETURNING id';
    if ((await sql.get(remove, id)) !== undefined) deleted.push(id);
  }
  return deleted;
}

/** Returns those of some ids that belong to stored files. */
export async function findKnown(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  const known = `SELECT id FROM files WHERE id IN (${parameters(ids.length)})`;
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
