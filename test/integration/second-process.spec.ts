import { ChildServer } from '../support/child-server.js';
import { dropDatabase, freshDatabase } from '../support/server.js';

let env: Record<string, string>;

beforeEach(async () => {
  env = await freshDatabase();
});

afterEach(async () => {
  await ChildServer.killAll();
  await dropDatabase(env);
});

test('a second process on the same database exits with the reason', async () => {
  const first = new ChildServer(env);
  await first.listening();
  const second = new ChildServer(env);
  expect(await second.ended()).toEqual({ code: 1, signal: null });
  expect(second.stderr).toContain('Another Parlance uses the database. Where: ');
  expect(second.stderr).toContain('PARLANCE_DATA_DIR or DATABASE_URL');
  expect(second.stderr).not.toContain(' at ');
  expect(second.port).toBe(0);
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
}, 60_000);

test('a killed process leaves no lock behind', async () => {
  const first = new ChildServer(env);
  await first.listening();
  await first.kill('SIGKILL');
  await new ChildServer(env).listening();
}, 60_000);

test('a new process waits until the previous one has ended', async () => {
  const first = new ChildServer(env);
  await first.listening();
  const successor = new ChildServer(env);
  expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await successor.listening();
}, 60_000);
