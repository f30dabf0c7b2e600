// Preloaded into every server of the memory measure: resident memory is compared after a full
// collection, so that it tells what connections hold and not when the collector last ran.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
});
