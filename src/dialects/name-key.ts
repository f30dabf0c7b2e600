/** Gives what is the same for names that differ in case and form alone. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase();
}
