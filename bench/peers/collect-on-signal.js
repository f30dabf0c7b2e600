// Preloaded into every server of the memory measure. Resident memory is compared after a full
// garbage collection, so that it shows what connections hold.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
});
