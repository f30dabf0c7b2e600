// Attacks the server at a port and prints the effect on other clients as one line of JSON.
import { readRssKiB } from '../load/process-usage.js';
import { besiege } from './siege.js';

const [port, pid, calmMs, attackMs] = process.argv.slice(2).map(Number);
const readBytes = () => readRssKiB(pid) * 1_024;
const damages = await besiege(port, { calmMs, attackMs, readBytes });
process.stdout.write(`${JSON.stringify(damages)}\n`, () => process.exit());
