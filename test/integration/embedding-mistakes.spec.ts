import { NestFactory } from '@nestjs/core';

import { ParlanceModule } from '#src/parlance.module.js';

import { freshConfig } from '../support/embedding.app.js';

test.each([
  [
    'ParlanceModule twice',
    async () => {
      const [first, second] = [await freshConfig(), await freshConfig()];
      return [ParlanceModule.forRoot(first), ParlanceModule.forRoot(second)];
    },
    'ParlanceModule is imported twice',
  ],
  ['ParlanceModule itself', () => [ParlanceModule], 'import ParlanceModule.forRoot(config)'],
  [
    'ParlanceModule.forRoot({ port: 1 })',
    () => [ParlanceModule.forRoot({ port: 1 } as never)],
    'Pass the result of readConfig',
  ],
  [
    'a factory of undefined',
    () => [ParlanceModule.forRootAsync({ useFactory: () => undefined as never })],
    'Pass the result of readConfig',
  ],
])('an app that embeds %s gets an error with advice', async (_, imports, advice) => {
  const root = { module: class EmbeddingAppModule {}, imports: await imports() };
  const options = { logger: false, abortOnError: false } as const;
  await expect(NestFactory.create(root, options)).rejects.toThrow(advice);
});

test('an app without the adapter gets an error that names it', async () => {
  const module = ParlanceModule.forRoot(await freshConfig());
  const app = await NestFactory.create(module, { logger: false, abortOnError: false });
  await expect(app.init()).rejects.toThrow(
    'call app.useWebSocketAdapter(new ParlanceAdapter(app))',
  );
  await app.close();
});
