const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads a duration such as `10m` or `1h30m`, in milliseconds; null if it is none. */
export function parseDuration(text: string): number | null {
  if (!/^(\d{1,6}[smhd])+$/i.test(text)) return null;
  const parts = [...text.toLowerCase().matchAll(/(\d+)([smhd])/g)];
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * UNITS[unit as keyof typeof UNITS], 0);
}

/** Writes a duration by its two greatest units, such as `1h 30m`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(1_000, Math.round(ms / 1_000) * 1_000);
  const parts: string[] = [];
  for (const [unit, length] of Object.entries(UNITS).toReversed()) {
    const count = Math.floor(rest / length);
    if (count > 0) parts.push(`${String(count)}${unit}`);
    rest -= count * length;
  }
  return parts.slice(0, 2).join(' ');
}
