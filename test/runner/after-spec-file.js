/**
 * Functions to call once when the spec file that runs now ends; they may return promises.
 *
 * Spec files of a worker share modules, and `afterAll` of a module counts for one of them only.
 */
export const afterSpecFile = new Set();
