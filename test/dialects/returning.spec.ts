import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const came = (user: string, room: string) => ({
  type: 'newuser',
  message: `New User ${user} joined room ${room}`,
});

describe('guests of older programs who go', () => {
  let server: TestServer;
  const pages: OldPage[] = [];
  afterEach(async () => {
    for (const page of pages.splice(0)) page.close();
    await server.dispose();
  });

  /** Joins a room; `known` is the name under which the guest is known, if it is another. */
  async function join(
    user: string,
    room: string,
    address = '192.0.2.1',
    known = user,
  ): Promise<OldPage> {
    const headers = { 'X-Forwarded-For': address };
    const page = await OldPage.open(server.url, 'simple-chat', ['websocket'], headers);
    pages.push(page);
    page.post('chat', { event: 'join', user, room });
    expect(await page.next('chat')).toEqual(came(known, room));
    return page;
  }

  async function watch(...rooms: string[]): Promise<TestClient> {
    const watcher = await TestClient.connect((to) =>
      openWebSocket(`${server.url}/ws`, to, { hello: { name: 'watcher' } }),
    );
    for (const room of rooms) await watcher.ok('room.join', { room, create: true });
    return watcher;
  }

  test('leave their rooms after a while', async () => {
    server = await startServer({ PARLANCE_LEGACY_AWAY_SECONDS: '1' });
    const watcher = await watch('one');
    const ann = await join('Ann', 'one');
    ann.close();
    const left = await watcher.event('member.left');
    expect(left).toMatchObject({ room: 'one', user: { name: 'Ann' }, reason: 'away' });
    await watcher.close();
  });

  test('come back under name and address without anybody being told', async () => {
    server = await startServer({ PARLANCE_TRUST_PROXY: 'loopback' });
    const watcher = await watch('one', 'two');
    const ann = await join('Ann', 'one');
    ann.post('chat', { event: 'join', user: 'Ann', room: 'two' });
    await ann.next('chat');
    const { member } = await watcher.event('member.joined');
    await watcher.event('member.joined');
    const { room: direct } = await watcher.ok('dm.open', { user: member.user.id });
    ann.close();

    const again = await join('ann', 'ONE', undefined, 'Ann');
    const other = await join('Ann', 'one', '192.0.2.2');

    const { user } = (await watcher.event('member.joined')).member;
    expect(user.id).not.toBe(member.user.id);
    await watcher.ok('message.send', { room: direct, text: 'for Ann alone' });
    await watcher.ok('message.send', { room: 'two', text: 'in the other room' });
    expect(await again.next('chat')).toEqual(came('Ann', 'ONE'));
    // Nothing of the direct room comes before it, nor anything of who goes and comes.
    expect(await again.next('chat')).toEqual({
      type: 'chat',
      from: 'WATCHER',
      message: 'in the other room',
    });
    again.post('chat', { event: 'chat', room: 'one', text: 'back' });
    const { message } = await watcher.event('message.created', (event) => event.room === 'one');
    expect(message.sender).toEqual(member.user);
    expect(await other.next('chat')).toEqual({ type: 'chat', from: 'ANN', message: 'back' });
    await watcher.close();
  });

  test('come back into rooms that they hear of and leave as before', async () => {
    server = await startServer({ PARLANCE_TRUST_PROXY: 'loopback' });
    const watcher = await watch();
    const ann = await join('Ann', 'The one!');
    ann.post('chat', { event: 'join', user: 'Ann', room: 'two' });
    await ann.next('chat');
    ann.close();
    const again = await join('Ann', 'two');

    const bob = await join('Bob', 'the ONE!');
    expect(await again.next('chat')).toEqual(came('Bob', 'The one!'));
    again.post('chat', { event: 'leave', user: 'Ann', room: 'the one!' });
    expect(await bob.next('chat')).toEqual({
      type: 'deluser',
      message: 'User Ann left room the ONE!',
    });
    again.post('chat', { event: 'leave', user: 'Ann', room: 'the one!' });
    expect(await again.next('message')).toMatch(/You are not in the one!/);
    await watcher.close();
  });

  test('come back after a restart, and leave after it if they do not', async () => {
    server = await startServer();
    const before = await watch('one');
    await join('Ann', 'one');
    await join('Bob', 'one');
    const ann = (await before.event('member.joined')).member.user;
    await before.close();
    await server.stop();

    server = await startServer(server.env);
    const during = await watch('one');
    const again = await join('Ann', 'one');
    again.post('chat', { event: 'chat', room: 'one', text: 'back' });
    expect((await during.event('message.created')).message.sender).toEqual(ann);
    await during.close();
    await server.stop();

    server = await startServer({ ...server.env, PARLANCE_LEGACY_AWAY_SECONDS: '1' });
    const after = await watch('one');
    await eventually(async () => {
      const { members } = await after.ok('room.members', { room: 'one' });
      return members.every(({ user }) => user.name === 'watcher');
    }, 'the leaving of those who did not come back');
    await after.close();
  });
});
