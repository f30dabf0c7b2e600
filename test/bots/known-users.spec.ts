import { KnownUsers } from '#src/bots/standalone/known-users.js';
import type { User } from '#src/protocol/models.js';

const MAX_USERS = 1_000;

function user(id: number): User {
  return { id: String(id), name: `user ${String(id)}`, kind: 'guest' };
}

test('looks up unknown users, and caches the most recent ones', async () => {
  const asked: string[] = [];
  const users = new KnownUsers((id) => {
    asked.push(id);
    return Promise.resolve(id === 'nobody' ? null : user(Number(id)));
  });
  for (let id = 0; id < MAX_USERS; id++) users.add(user(id));
  expect(await users.get('0')).toEqual(user(0));
  users.add(user(MAX_USERS));
  expect(await users.get('0')).toEqual(user(0));
  expect(asked).toEqual([]);
  expect(await users.get('1')).toEqual(user(1));
  expect(await users.get('nobody')).toBeNull();
  users.add({ ...user(1), name: 'renamed' });

  expect(asked).toEqual(['1', 'nobody']);
  expect(await users.get('1')).toMatchObject({ name: 'renamed' });
});
