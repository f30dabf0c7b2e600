import assert from 'node:assert/strict';

import type { WriteJob } from '#src/database/writer.js';

/** Has the commit fail for all that share the transaction; the last job of them. */
export const loseTransaction: WriteJob<void> = async ({ sql }) => {
  await sql.run('ROLLBACK');
  if (process.env['TEST_DATABASE'] !== 'postgres') return;
  await sql.run('BEGIN');
  await assert.rejects(sql.run('SELEKT'), /syntax error/);
};
