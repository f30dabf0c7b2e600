export const afterSpecFile: Set<() => unknown>;
