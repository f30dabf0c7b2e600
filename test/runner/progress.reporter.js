/** Prints one line for each spec file that is done, and at once what failed in it. */
export default class ProgressReporter {
  #began = performance.now();
  #done = 0;

  onTestResult(_test, result, { numTotalTestSuites: total }) {
    const { numFailingTests: failed, numPassingTests: passed, testExecError, perfStats } = result;
    const hasFailed = failed > 0 || testExecError !== undefined;
    const file = result.testFilePath.slice(result.testFilePath.indexOf('/test/') + 1);
    const count = hasFailed ? `${failed} failed, ${passed} passed` : `${passed} passed`;
    print(
      `[${++this.#done}/${total} ${elapsed(performance.now() - this.#began)}]`,
      hasFailed ? 'FAIL' : 'PASS',
      result.displayName?.name ?? '',
      `${file} (${count}, ${((perfStats.end - perfStats.start) / 1_000).toFixed(1)} s)`,
    );
    for (const { type, message, origin } of result.console ?? []) {
      print(`console.${type}: ${message}\n${origin}`);
    }
    if (result.failureMessage) print(result.failureMessage);
  }
}

function print(...words) {
  process.stderr.write(`${words.join(' ')}\n`);
}

function elapsed(ms) {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
