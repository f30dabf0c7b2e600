import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

import { eslintPlugin } from './tools/import-graph.js';

// Packages that a folder has to do without.
const FORBIDDEN_PACKAGES = {
  protocol: { regex: '^(?!\\.|zod$)', message: 'protocol/ uses zod alone; clients use it too.' },
  chat: {
    regex: '^(ws|socket\\.io|engine\\.io|@nestjs/platform-)',
    message: 'The core knows no transport; see chat/connections/transport.ts.',
  },
};

// What both browsers and Node.js have; the client uses nothing else.
const EVERYWHERE = [
  'Blob',
  'AbortController',
  'AbortSignal',
  'clearTimeout',
  'crypto',
  'fetch',
  'globalThis',
  'performance',
  'Response',
  'setTimeout',
  'TextEncoder',
  'URL',
];

const FROM_CONFIG = 'Settings come from config/, which main.ts gives the environment.';

/** Forbids a folder of src/ what its rules name. */
function restrict(folder, patterns) {
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns, paths: [{ name: 'node:process', message: FROM_CONFIG }] },
      ],
    },
  };
}

export default defineConfig(
  { ignores: ['**/dist/', 'coverage/', 'data/', 'bench/results/', 'examples/legacy/vendor/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      // Escapes such as \u200D in a class are meant one by one.
      'no-misleading-character-class': ['error', { allowEscape: true }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // `async` without `await` turns what is thrown into a rejection, which is often its purpose.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/**/*.ts', 'client/**/*.ts', 'tools/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    rules: {
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Options of Nest are classes by declaration, and object literals in its own manual.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      complexity: ['error', { max: 10, variant: 'modified' }],
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 50],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: FROM_CONFIG },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { parlance: eslintPlugin },
    rules: { 'parlance/layers': 'error', 'parlance/circles': 'error' },
  },
  restrict('**', []),
  ...Object.entries(FORBIDDEN_PACKAGES).map(([folder, pattern]) => restrict(folder, [pattern])),
  {
    files: ['src/main.ts', 'src/bot-create.ts', 'src/verify.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  // The table of commands grows with the protocol.
  { files: ['src/chat/chat.gateway.ts'], rules: { 'max-lines': 'off' } },
  {
    files: ['client/**/*.ts'],
    languageOptions: {
      globals: Object.fromEntries(EVERYWHERE.map((name) => [name, 'readonly'])),
    },
    rules: {
      'no-undef': 'error',
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\.{1,2}/|#src/protocol/)|^(\\.\\./)+(src|test|tools|bench|web)/',
              message:
                'client/ runs in browsers too, and knows nothing of the server but protocol/.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['examples/**/*.js'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!node:|parlance(/(client|protocol))?$)',
              message: 'An example shows what an app of somebody else can do.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests take frames apart whose fields may be anything, and servers into their parts.
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.js'],
    ignores: ['web/**', 'examples/legacy/**'],
    languageOptions: { globals: globals.node },
  },
  { files: ['web/**/*.js'], languageOptions: { globals: globals.browser } },
  {
    // Loaded before scripts that stand in the pages.
    files: ['examples/legacy/**/*.js'],
    languageOptions: { sourceType: 'script', globals: globals.browser },
    rules: { 'no-unused-vars': ['error', { vars: 'local' }] },
  },
);
