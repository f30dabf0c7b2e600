import assert from 'node:assert/strict';

import type { WriteJob } from '#src/database/write-job.js';

/** Makes the commit fail for all jobs that share the transaction; queue it as the last of them. */
export const loseTransaction: WriteJob<void> = async ({ sql }) => {
  await sql.run('ROLLBACK');
  if (process.env['TEST_DATABASE'] !== 'postgres') return;
  await sql.run('BEGIN');
  await assert.rejects(sql.run('SELEKT'), /syntax error/);
};
