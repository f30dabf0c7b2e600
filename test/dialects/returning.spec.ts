import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const joined = (user: string, room: string) => ({
  type: 'newuser',
  message: `New User ${user} joined room ${room}`,
});

describe('guests of legacy clients who disconnect', () => {
  let server: TestServer;
  const pages: OldPage[] = [];
  afterEach(async () => {
    for (const page of pages.splice(0)) page.close();
    await server.dispose();
  });

  /** Joins a room; `known` is the name that the guest gets, if it differs. */
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
    expect(await page.next('chat')).toEqual(joined(known, room));
    return page;
  }

  async function watch(...rooms: string[]): Promise<TestClient> {
    const watcher = await TestClient.connect((to) =>
      openWebSocket(`${server.url}/ws`, to, { hello: { name: 'watcher' } }),
    );
    for (const room of rooms) await watcher.ok('room.join', { room, create: true });
    return watcher;
  }

  test('leave their rooms after the grace period', async () => {
    server = await startServer({ PARLANCE_LEGACY_AWAY_SECONDS: '1' });
    const watcher = await watch('one');
    const ann = await join('Ann', 'one');
    ann.close();
    const left = await watcher.event('member.left');
    expect(left).toMatchObject({ room: 'one', user: { name: 'Ann' }, reason: 'away' });
    await watcher.close();
  });

  test('return under their name and address without an announcement', async () => {
    server = await startServer({ PARLANCE_TRUST_PROXY: 'loopback' });
    const watcher = await watch('one', 'two');
    const ann = await join('Ann', 'one');
    ann.post('chat', { event: 'join', user: 'Ann', room: 'two' });
    await ann.next('chat');
    const { member } = await watcher.event('member.joined');
    await watcher.event('member.joined');
    ann.close();

    const again = await join('ann', 'ONE', undefined, 'Ann');
    const other = await join('Ann', 'one', '192.0.2.2');

    const { user } = (await watcher.event('member.joined')).member;
    expect(user.id).not.toBe(member.user.id);
    expect(await again.next('chat')).toEqual(joined('Ann', 'ONE'));
    // The page shows one room, so the guest has left the other one.
    expect((await watcher.event('member.left')).room).toBe('two');
    await watcher.ok('message.send', { room: 'two', text: 'in the other room' });
    again.post('chat', { event: 'chat', room: 'one', text: 'back' });
    const { message } = await watcher.event('message.created', (event) => event.room === 'one');
    expect(message.sender).toEqual(member.user);
    expect(await other.next('chat')).toEqual({ type: 'chat', from: 'ANN', message: 'back' });
    await watcher.close();
  });

  test('receive only TWO after they were in ONE, reload and join TWO', async () => {
    server = await startServer({ PARLANCE_TRUST_PROXY: 'loopback' });
    const ann = await join('Ann', 'ONE');
    const bob = await join('Bob', 'ONE');
    await ann.next('chat');
    bob.close();
    const again = await join('Bob', 'TWO');

    expect(await ann.next('chat')).toEqual({ type: 'deluser', message: 'User Bob left room ONE' });
    ann.post('chat', { event: 'chat', room: 'ONE', text: 'in ONE' });
    ann.post('chat', { event: 'chat', text: 'to all' });
    expect(await again.next('chat')).toEqual({ type: 'chat', from: 'ANN', message: 'to all' });
  });

  test('keep their direct rooms to themselves: VICTIM leaves, and another guest uses the name', async () => {
    server = await startServer({ PARLANCE_TRUST_PROXY: 'loopback' });
    const bob = await watch('one');
    const victim = await join('VICTIM', 'one');
    const { user } = (await bob.event('member.joined')).member;
    victim.post('chat', { event: 'chat', room: 'one', user: 'watcher', text: 'it is me' });
    const { id: room } = (await bob.event('dm.opened')).info;
    await bob.ok('dm.open', { user: user.id });
    victim.close();

    const attacker = await join('VICTIM', 'one');
    const { user: other } = (await bob.event('member.joined')).member;
    expect(other.id).not.toBe(user.id);
    attacker.post('chat', { event: 'chat', room: 'one', user: 'watcher', text: 'it is me' });
    const opened = await bob.event('dm.opened', ({ info }) => info.id !== room);
    await bob.ok('message.send', { room, text: 'for the victim alone' });
    await bob.ok('dm.open', { user: opened.user.id });
    await bob.ok('message.send', { room: opened.info.id, text: 'for the attacker' });

    expect(await attacker.next('chat')).toMatchObject({
      from: 'WATCHER',
      message: 'for the attacker',
    });
    expect(attacker.rest()).toEqual([]);
    await bob.close();
  });

  test('keep a direct room to themselves that was opened while they were away', async () => {
    server = await startServer({ PARLANCE_TRUST_PROXY: 'loopback' });
    const bob = await watch('one');
    const victim = await join('VICTIM', 'one');
    const { user } = (await bob.event('member.joined')).member;
    victim.close();
    await eventually(async () => {
      const { presence } = await bob.ok('room.join', { room: 'one' });
      return presence.count === 1;
    }, 'the victim to be offline');
    const { room } = await bob.ok('dm.open', { user: user.id });
    await bob.ok('message.send', { room, text: 'for the victim alone' });

    const attacker = await join('VICTIM', 'one');
    const left = await bob.event('member.left');
    expect(left.user.id).toBe(user.id);
    const { user: other } = (await bob.event('member.joined')).member;
    expect(other.id).not.toBe(user.id);
    await bob.ok('message.send', { room, text: 'for the victim alone, too' });
    await bob.ok('message.send', { room: 'one', text: 'for all' });
    expect(await attacker.next('chat')).toMatchObject({ message: 'for all' });
    await bob.close();
  });

  test('return after a restart, or leave their rooms after it', async () => {
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
    }, 'the members who did not return to leave');
    await after.close();
  });
});
