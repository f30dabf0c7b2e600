import { readdirSync, readFileSync } from 'node:fs';

const PROGRAM = /decoder\.program/;
const SAMPLE_MS = 5;

/** Measures the memory of the child processes that decode images; Linux only. */
export class DecoderMemory {
  private peakBytes = 0;
  /** Processes that are no decoders: reading about all of them each time would keep a core busy. */
  private readonly others = new Set<string>();
  private readonly timer = setInterval(() => this.sample(), SAMPLE_MS);

  /** Stops measuring; returns the peak memory of a single process in bytes. */
  end(): number {
    clearInterval(this.timer);
    this.sample();
    return this.peakBytes;
  }

  private sample(): void {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid) || this.others.has(pid)) continue;
      const bytes = peakOf(pid);
      if (bytes === null) this.others.add(pid);
      else this.peakBytes = Math.max(this.peakBytes, bytes);
    }
  }
}

/** Returns the peak memory of a child process in bytes, 0 if it is no decoder yet; null for others. */
function peakOf(pid: string): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (!status.includes(`PPid:\t${String(process.pid)}\n`)) return null;
    // A child runs this program until it has started its own.
    if (!PROGRAM.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) return 0;
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
  } catch {
    // The process has ended meanwhile.
    return null;
  }
}
