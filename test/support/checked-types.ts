import { resolve } from 'node:path';

import ts from 'typescript';

/** Checks the types of programs that import Parlance; returns the errors of the compiler. */
export function typeErrorsOf(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const paths = {
    parlance: [resolve('src/index.ts')],
    'parlance/testing': [resolve('src/bots/testing/index.ts')],
  };
  const program = ts.createProgram(files, { ...options, paths, allowJs: true, checkJs: true });
  const sources = files.map((file) => program.getSourceFile(file));
  const found = sources.flatMap((source) => [...program.getSemanticDiagnostics(source)]);
  return found.map(({ file, messageText }) => {
    return `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
