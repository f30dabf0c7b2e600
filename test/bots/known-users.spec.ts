import { KnownUsers } from '#src/bots/remote/known-users.js';
import type { User } from '#src/protocol/models.js';

const MOST = 1_000;

function user(id: number): User {
  return { id: String(id), name: `user ${String(id)}`, kind: 'guest' };
}

test('asks for users whom it does not know, and keeps the latest', async () => {
  const asked: string[] = [];
  const users = new KnownUsers((id) => {
    asked.push(id);
    return Promise.resolve(id === 'nobody' ? null : user(Number(id)));
  });
  for (let id = 0; id < MOST; id++) users.note(user(id));
  expect(await users.get('0')).toEqual(user(0));
  users.note(user(MOST));
  expect(await users.get('0')).toEqual(user(0));
  expect(asked).toEqual([]);
  expect(await users.get('1')).toEqual(user(1));
  expect(await users.get('nobody')).toBeNull();
  users.note({ ...user(1), name: 'renamed' });

  expect(asked).toEqual(['1', 'nobody']);
  expect(await users.get('1')).toMatchObject({ name: 'renamed' });
});
