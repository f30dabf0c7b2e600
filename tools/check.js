// Runs the checks of `npm run check` at the same time, and prints what each of them prints.
import { spawn } from 'node:child_process';
import process from 'node:process';

/** Scripts of package.json; the longest comes first. */
const CHECKS = ['lint', 'types', 'format:check', 'generate:check'];

const results = await Promise.all(CHECKS.map(run));
if (results.includes(false)) process.exitCode = 1;

/** Runs a script; prints its output when it ends, and returns whether it succeeded. */
async function run(script) {
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const pieces = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece) => pieces.push(piece));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  process.stdout.write(Buffer.concat(pieces));
  if (code !== 0) process.stdout.write(`npm run ${script} failed.\n`);
  return code === 0;
}
