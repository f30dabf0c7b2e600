import { TestClient } from '../support/client.js';
import { openWebSocket } from '../support/channels/websocket.channel.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];
const UNREADABLE = '{"code": 99, "message": "JSON Parse failed"}';

const joined = (user: string, room: string) => ({
  type: 'newuser',
  message: `New User ${user} joined room ${room}`,
});
const said = (from: string, message: string) => ({ type: 'chat', from, message });

describe('simple-chat', () => {
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
  async function join(
    user: string,
    room: string,
    transports?: readonly string[],
  ): Promise<OldPage> {
    const page = await open(transports);
    page.post('chat', { event: 'join', user, room });
    expect(await page.next('chat')).toEqual(joined(user, room));
    return page;
  }

  async function open(transports?: readonly string[]): Promise<OldPage> {
    const page = await OldPage.open(server.url, 'simple-chat', transports);
    pages.push(page);
    return page;
  }

  const connect = (name: string): Promise<TestClient> =>
    TestClient.connect((to) => openWebSocket(`${server.url}/ws`, to, { hello: { name } }));

  test.each(TRANSPORTS)('joins, chats and leaves [%s, %s]', async (...transports) => {
    const used = transports.filter((name) => name !== undefined);
    const ann = await join('Ann', 'My room!', used);
    const bob = await join('bob', 'my ROOM!', used);
    expect(await ann.next('chat')).toEqual(joined('bob', 'My room!'));

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
    expect(await bob.next('chat')).toEqual({ type: 'users', message: "Users in room: ['ANN']" });
  });

  test("lists 'LOUNGE 1' for a tab that has not joined, and an empty list for an unknown room", async () => {
    await join('Ann', 'LOUNGE 1');
    const other = await join('Bob', 'two');
    for (const tab of [await open(), other]) {
      tab.post('chat', { event: 'users', room: 'LOUNGE 1' });
      expect(await tab.next('chat')).toEqual({ type: 'users', message: "Users in room: ['ANN']" });
      tab.post('chat', { event: 'users', room: 'nowhere' });
      expect(await tab.next('chat')).toEqual({ type: 'users', message: 'Users in room: []' });
    }
  });

  test("reports the text '' as its own error, and replaces a missing text", async () => {
    const ann = await join('Ann', 'one');
    const bob = await join('Bob', 'one');
    await ann.next('chat');
    for (const empty of [{ text: '' }, { message: '' }, { text: ' ' }, { text: '\u200b' }]) {
      bob.post('chat', { event: 'chat', room: 'one', ...empty });
      expect(await bob.next('message')).toMatch(/^\{"code": 99, "message": ".+"\}$/);
    }
    bob.post('chat', { event: 'chat', room: 'one', text: null });
    bob.post('chat', { event: 'chat', room: 'one', text: '', message: 'hi' });
    expect(await ann.next('chat')).toEqual(said('BOB', 'Knock! Knock!'));
    expect(await ann.next('chat')).toEqual(said('BOB', 'hi'));
  });

  test('changes reserved, long and invisible names to allowed ones', async () => {
    const family = '👨‍👩‍👧‍👦';
    const names = [
      ['poll', 'poll-2'],
      ['Help', 'Help-2'],
      ['d1ce', 'd1ce-2'],
      ['x'.repeat(33), 'x'.repeat(32)],
      [family.repeat(5), family.repeat(4)],
      ['a\u202eb\u200b', 'ab'],
      ['\u200b', 'JDOE'],
    ] as const;
    for (const [typed, name] of names) {
      const page = await open();
      page.post('chat', { event: 'join', user: typed, room: name });
      expect(await page.next('chat')).toEqual(joined(name, name));
    }
    const ann = await join('Ann', 'one');
    ann.post('chat', { event: 'chat', user: 'x'.repeat(33), text: 'psst' });
    expect(await pages[3]?.next('chat')).toEqual(said('ANN', 'psst'));
  });

  test('shows on the page that it may not create an 11th room within an hour', async () => {
    await server.dispose();
    server = await startServer({ PARLANCE_LIMIT_ROOMS_PER_HOUR: '1' });
    const page = await join('Ann', 'one');
    page.post('chat', { event: 'join', user: 'Ann', room: 'two' });
    expect(await page.next('message')).toMatch(/^\{"code": 99/);
    expect(await page.next('chat')).toEqual({
      type: 'newuser',
      message: expect.stringMatching(/^You did not join room two: /) as string,
    });
  });

  test('uses defaults for missing fields of a join', async () => {
    const page = await open();
    page.post('chat', { event: 'join' });
    expect(await page.next('chat')).toEqual(joined('JDOE', 'PARKED'));
    page.post('chat', { event: 'users' });
    expect(await page.next('chat')).toEqual({ type: 'users', message: "Users in room: ['JDOE']" });
  });

  test('formats user lists as Python does', async () => {
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

  test('posts to the default room if no room is given', async () => {
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

  test('sends a text to one user in a direct room', async () => {
    const ann = await join('Ann', 'one');
    const bob = await join('Bob', 'one');
    const eve = await join('Eve', 'one');
    for (const name of ['Bob', 'Eve']) expect(await ann.next('chat')).toEqual(joined(name, 'one'));
    expect(await bob.next('chat')).toEqual(joined('Eve', 'one'));

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

  test('finds users by name, ignoring form and case', async () => {
    const ann = await join('Ann', 'one');
    const page = await open();
    page.post('chat', { event: 'join', user: 'ﬁn', room: 'one' });
    expect(await page.next('chat')).toEqual(joined('fin', 'one'));
    await ann.next('chat');
    page.post('chat', { event: 'join', user: 'ﬁn', room: 'two' });
    expect(await page.next('chat')).toEqual(joined('fin', 'two'));

    ann.post('chat', { event: 'chat', user: 'ﬁN', text: 'psst' });

    expect(await page.next('chat')).toEqual(said('ANN', 'psst'));
    expect(ann.rest()).toEqual([]);
  });

  test('sends a text to a user of another client, who replies', async () => {
    const ann = await join('Ann', 'one');
    const cid = await connect('Cid');
    await cid.ok('room.join', { room: 'one' });
    expect(await ann.next('chat')).toEqual(joined('Cid', 'one'));

    ann.post('chat', { event: 'chat', room: 'one', user: 'cid', text: 'psst' });
    const opened = await cid.event('dm.opened');
    const { room, messages } = await cid.ok('dm.open', { user: opened.user.id });
    if (messages.length === 0) await cid.event('message.created');
    await cid.ok('message.send', { room, text: 'here' });

    expect(await ann.next('chat')).toEqual(said('CID', 'here'));
    await cid.close();
  });

  test('receives a direct room that another client opens', async () => {
    const ann = await join('Ann', 'one');
    const cid = await connect('Cid');
    const { members } = await cid.ok('room.join', { room: 'one' });
    expect(await ann.next('chat')).toEqual(joined('Cid', 'one'));
    const user = members.find((member) => member.user.name === 'Ann')?.user.id ?? '';

    const { room } = await cid.ok('dm.open', { user });
    await cid.ok('message.send', { room, text: 'first' });
    await cid.ok('message.send', { room, text: 'second' });

    expect(await ann.next('chat')).toEqual(said('CID', 'first'));
    expect(await ann.next('chat')).toEqual(said('CID', 'second'));
    await cid.close();
  });

  test('reports malformed input and can continue', async () => {
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
    page.post('chat', JSON.stringify({ event: 'join', user: 'Ann', room: 'one' }));
    expect(await page.next('chat')).toEqual(joined('Ann', 'one'));
    page.post('chat', { event: 'leave', room: 'two' });
    expect(await page.next('message')).toBe('{"code": 99, "message": "You are not in two."}');
  });

  test('renames the user when it joins under another name', async () => {
    const ann = await join('Ann', 'one');
    const bob = await join('Bob', 'one');
    await ann.next('chat');
    bob.post('chat', { event: 'join', user: 'Robert', room: 'two' });
    expect(await bob.next('chat')).toEqual(joined('Robert', 'two'));
    bob.post('chat', { event: 'chat', room: 'one', text: 'it is me' });
    expect(await ann.next('chat')).toEqual(said('ROBERT', 'it is me'));
  });

  test('can be in several rooms at once; each room receives its own texts', async () => {
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
