import { DecoderQueue, type QueuedJob } from '#src/files/images/decoder-queue.js';

const BYTES = 100_000;

let queue: DecoderQueue<string>;
/** Names of the jobs, in the order in which they started. */
let started: string[];
let ends: Map<string, () => void>;

beforeEach(() => {
  queue = new DecoderQueue([
    { decoder: 'light', acceptsHeavy: false },
    { decoder: 'any', acceptsHeavy: true },
  ]);
  started = [];
  ends = new Map();
});

/** Enqueues a job that runs until `end` is called for it. */
function enqueue(name: string, job: Partial<QueuedJob> & { owner: string }): Promise<string> {
  return queue.run({ size: BYTES, isHeavy: false, ...job }, (decoder) => {
    started.push(name);
    return new Promise((resolve) => ends.set(name, () => resolve(decoder)));
  });
}

/** Ends a job, and waits until the next one has started. */
async function end(name: string, job: Promise<string>): Promise<string> {
  ends.get(name)?.();
  const decoder = await job;
  await Promise.resolve();
  return decoder;
}

test('many images of one user do not delay those of other users', async () => {
  const first = enqueue('ann 1', { owner: 'ann' });
  for (const name of ['ann 2', 'ann 3']) void enqueue(name, { owner: 'ann' });
  void enqueue('bob 1', { owner: 'bob' });
  void enqueue('cid 1', { owner: 'cid' });
  await Promise.resolve();

  expect(started).toEqual(['ann 1', 'bob 1']);
  await end('ann 1', first);
  expect(started).toEqual(['ann 1', 'bob 1', 'cid 1']);
});

test('heavy images of many users leave one decoder free for light images', async () => {
  for (const owner of ['ann', 'bob', 'cid'])
    void enqueue(`heavy ${owner}`, { owner, isHeavy: true });
  const light = enqueue('light', { owner: 'dan' });
  await Promise.resolve();

  expect(started).toEqual(['heavy ann', 'light']);
  expect(await end('light', light)).toBe('light');
});

test('a small image precedes larger ones that arrived earlier', async () => {
  const first = enqueue('first', { owner: 'ann' });
  void enqueue('second', { owner: 'bob' });
  void enqueue('large', { owner: 'cid' });
  void enqueue('small', { owner: 'dan', size: 500 });
  await Promise.resolve();

  await end('first', first);

  expect(started).toEqual(['first', 'second', 'small']);
});

test('light images do not starve a heavy one', async () => {
  void enqueue('light 1', { owner: 'ann' });
  const second = enqueue('light 2', { owner: 'bob' });
  void enqueue('light 3', { owner: 'cid' });
  void enqueue('heavy', { owner: 'dan', isHeavy: true });
  await Promise.resolve();

  await end('light 2', second);

  expect(started).toEqual(['light 1', 'light 2', 'heavy']);
});
