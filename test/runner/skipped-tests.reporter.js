/** Lists the tests that were skipped, with their reasons where their titles give one. */
export default class SkippedTestsReporter {
  constructor({ testNamePattern }) {
    // Tests that a pattern leaves out are skipped on purpose.
    this.isPartial = Boolean(testNamePattern);
  }

  onRunComplete(_contexts, { testResults }) {
    const skipped = testResults.flatMap(({ testFilePath, displayName, testResults: tests }) =>
      tests
        .filter(({ status }) => status === 'pending')
        .map(({ fullName }) => {
          const file = testFilePath.slice(testFilePath.indexOf('/test/') + 1);
          return `  ${displayName?.name ?? ''} ${file}: ${fullName}`;
        }),
    );
    if (this.isPartial || skipped.length === 0) return;
    process.stderr.write(`\nSkipped (${skipped.length}):\n${skipped.sort().join('\n')}\n`);
  }
}
