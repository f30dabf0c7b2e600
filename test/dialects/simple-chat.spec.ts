import { TestClient } from '../support/client.js';
import { openWebSocket } from '../support/channels/websocket.channel.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const WAYS = [['polling'], ['websocket'], ['polling', 'websocket']];
const UNREADABLE = '{"code": 99, "message": "JSON Parse failed"}';

const came = (user: string, room: string) => ({
  type: 'newuser',
  message: `New User ${user} joined room ${room}`,
});
const said = (from: string, message: string) => ({ type: 'chat', from, message });

describe('simple chat', () => {
  let server: TestServer;
  const pages: OldPage[] = [];
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) page.close();
    await server.dispose();
  });

  /** Opens a page and joins a room. */
  async function join(user: string, room: string, ways?: readonly string[]): Promise<OldPage> {
    const page = await open(ways);
    page.post('chat', { event: 'join', user, room });
    expect(await page.next('chat')).toEqual(came(user, room));
    return page;
  }

  async function open(ways?: readonly string[]): Promise<OldPage> {
    const page = await OldPage.open(server.url, 'simple-chat', ways);
    pages.push(page);
    return page;
  }

  const connect = (name: string): Promise<TestClient> =>
    TestClient.connect((to) => openWebSocket(`${server.url}/ws`, to, { hello: { name } }));

  test.each(WAYS)('comes, chats and goes [%s, %s]', async (...transports) => {
    const ways = transports.filter((way) => way !== undefined);
    const ann = await join('Ann', 'My room!', ways);
    const bob = await join('bob', 'my ROOM!', ways);
    expect(await ann.next('chat')).toEqual(came('bob', 'My room!'));

    bob.post('chat', { event: 'chat', room: 'MY ROOM!', text: 'hi' });
    expect(await ann.next('chat')).toEqual(said('BOB', 'hi'));
    ann.post('chat', { event: 'chat', room: 'my room!', message: 'hello' });
    expect(await bob.next('chat')).toEqual(said('ANN', 'hello'));
    ann.post('chat', { event: 'chat', room: 'my room!' });
    expect(await bob.next('chat')).toEqual(said('ANN', 'Knock! Knock!'));
    bob.post('chat', { event: 'users', room: 'My Room!' });
    const users = { type: 'users', message: "Users in room: ['ANN', 'BOB']" };
    expect(await bob.next('chat')).toEqual(users);
    bob.post('chat', { room: 'My Room!' });
    expect(await bob.next('chat')).toEqual(users);

    bob.post('chat', { event: 'leave', user: 'bob', room: 'my room!' });
    const left = { type: 'deluser', message: 'User bob left room My room!' };
    expect(await ann.next('chat')).toEqual(left);
    bob.post('chat', { event: 'users', room: 'my room!' });
    expect(await bob.next('chat')).toEqual({ type: 'users', message: 'Users in room: []' });
  });

  test('fills in what is missing from a join', async () => {
    const page = await open();
    page.post('chat', { event: 'join' });
    expect(await page.next('chat')).toEqual(came('JDOE', 'PARKED'));
    page.post('chat', { event: 'users' });
    expect(await page.next('chat')).toEqual({ type: 'users', message: "Users in room: ['JDOE']" });
  });

  test('lists names as Python does', async () => {
    const page = await join("o'brien", 'quotes');
    await join('back\\slash', 'quotes');
    await join('"both\'', 'quotes');
    await page.next('chat');
    await page.next('chat');

    page.post('chat', { event: 'users', room: 'quotes' });

    expect(await page.next('chat')).toEqual({
      type: 'users',
      message: `Users in room: ["O'BRIEN", 'BACK\\\\SLASH', '"BOTH\\'']`,
    });
  });

  test('posts to the public room without a room', async () => {
    const ann = await join('Ann', 'one');
    const bob = await join('Bob', 'two');
    const cid = await connect('cid');
    await cid.ok('room.join', { room: 'general' });

    ann.post('chat', { event: 'chat', text: 'to all' });
    expect(await bob.next('chat')).toEqual(said('ANN', 'to all'));
    expect((await cid.event('message.created')).message).toMatchObject({ text: 'to all' });

    await cid.ok('message.send', { room: 'general', text: 'and back' });
    expect(await bob.next('chat')).toEqual(said('CID', 'and back'));
    expect(await ann.next('chat')).toEqual(said('CID', 'and back'));
    await cid.close();
  });

  test('writes to one person, in a direct room', async () => {
    const ann = await join('Ann', 'one');
    const bob = await join('Bob', 'one');
    const eve = await join('Eve', 'one');
    for (const name of ['Bob', 'Eve']) expect(await ann.next('chat')).toEqual(came(name, 'one'));
    expect(await bob.next('chat')).toEqual(came('Eve', 'one'));

    ann.post('chat', { event: 'chat', room: 'one', user: 'bOb', text: 'psst' });
    expect(await bob.next('chat')).toEqual(said('ANN', 'psst'));
    bob.post('chat', { event: 'chat', user: 'ANN', text: 'yes?' });
    expect(await ann.next('chat')).toEqual(said('BOB', 'yes?'));
    ann.post('chat', { event: 'chat', room: 'one', user: 'nobody', text: 'psst' });
    expect(await ann.next('message')).toBe('{"code": 99, "message": "There is no nobody."}');
    ann.post('chat', { event: 'chat', room: 'one', text: 'aloud' });
    expect(await eve.next('chat')).toEqual(said('ANN', 'aloud'));
    expect(await bob.next('chat')).toEqual(said('ANN', 'aloud'));
  });

  test('finds people by their names in any form and case', async () => {
    const ann = await join('Ann', 'one');
    const page = await open();
    page.post('chat', { event: 'join', user: 'ﬁn', room: 'one' });
    expect(await page.next('chat')).toEqual(came('fin', 'one'));
    await ann.next('chat');
    page.post('chat', { event: 'join', user: 'ﬁn', room: 'two' });
    expect(await page.next('chat')).toEqual(came('fin', 'two'));

    ann.post('chat', { event: 'chat', user: 'ﬁN', text: 'psst' });

    expect(await page.next('chat')).toEqual(said('ANN', 'psst'));
    expect(ann.rest()).toEqual([]);
  });

  test('writes to one person of another program, who answers', async () => {
    const ann = await join('Ann', 'one');
    const cid = await connect('Cid');
    await cid.ok('room.join', { room: 'one' });
    expect(await ann.next('chat')).toEqual(came('Cid', 'one'));

    ann.post('chat', { event: 'chat', room: 'one', user: 'cid', text: 'psst' });
    const opened = await cid.event('dm.opened');
    const { room, messages } = await cid.ok('dm.open', { user: opened.user.id });
    if (messages.length === 0) await cid.event('message.created');
    await cid.ok('message.send', { room, text: 'here' });

    expect(await ann.next('chat')).toEqual(said('CID', 'here'));
    await cid.close();
  });

  test('hears a direct room that another program opens', async () => {
    const ann = await join('Ann', 'one');
    const cid = await connect('Cid');
    const { members } = await cid.ok('room.join', { room: 'one' });
    expect(await ann.next('chat')).toEqual(came('Cid', 'one'));
    const user = members.find((member) => member.user.name === 'Ann')?.user.id ?? '';

    const { room } = await cid.ok('dm.open', { user });
    await cid.ok('message.send', { room, text: 'first' });
    await cid.ok('message.send', { room, text: 'second' });

    expect(await ann.next('chat')).toEqual(said('CID', 'first'));
    expect(await ann.next('chat')).toEqual(said('CID', 'second'));
    await cid.close();
  });

  test('tells who cannot be understood, and goes on', async () => {
    const page = await open();
    for (const wrong of ['{', 'text', 7, [], null, { event: 'fly' }, { event: 'join', room: {} }]) {
      page.post('chat', wrong);
      expect(await page.next('message')).toBe(UNREADABLE);
    }
    for (const early of [
      { event: 'chat', room: 'one', text: 'hi' },
      { event: 'image', room: 'one', bimage: 'data:image/png;base64,AAAA' },
      { event: 'leave', room: 'one' },
    ]) {
      page.post('chat', early);
      expect(await page.next('message')).toBe(UNREADABLE);
    }
    page.post('chat', { event: 'join', user: 'x'.repeat(33), room: 'one' });
    expect(await page.next('message')).toMatch(/^\{"code": 99, "message": ".+"\}$/);
    page.post('chat', JSON.stringify({ event: 'join', user: 'Ann', room: 'one' }));
    expect(await page.next('chat')).toEqual(came('Ann', 'one'));
    page.post('chat', { event: 'leave', room: 'two' });
    expect(await page.next('message')).toBe('{"code": 99, "message": "You are not in two."}');
  });

  test('takes another name when it joins under one', async () => {
    const ann = await join('Ann', 'one');
    const bob = await join('Bob', 'one');
    await ann.next('chat');
    bob.post('chat', { event: 'join', user: 'Robert', room: 'two' });
    expect(await bob.next('chat')).toEqual(came('Robert', 'two'));
    bob.post('chat', { event: 'chat', room: 'one', text: 'it is me' });
    expect(await ann.next('chat')).toEqual(said('ROBERT', 'it is me'));
  });

  test('is in several rooms at once, each heard by those in it', async () => {
    const ann = await join('Ann', 'one');
    const bob = await join('Bob', 'two');
    ann.post('chat', { event: 'join', user: 'Ann', room: 'two' });
    await ann.next('chat');
    await bob.next('chat');
    ann.post('chat', { event: 'chat', room: 'one', text: 'alone' });
    ann.post('chat', { event: 'chat', room: 'two', text: 'together' });
    expect(await bob.next('chat')).toEqual(said('ANN', 'together'));
  });
});
