import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];
const CAME = /^guest-[0-9a-f]{4} se unio a la habitacion$/;
const WENT = /^guest-[0-9a-f]{4} abandono la habitacion$/;

describe('rooms', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.dispose());

  test.each(TRANSPORTS)('joins, chats and leaves [%s, %s]', async (...transports) => {
    const used = transports.filter((name) => name !== undefined);
    const room = `sala de ${used.join(' y ')}`;
    const ana = await OldPage.open(server.url, 'rooms', used);
    const eva = await OldPage.open(server.url, 'rooms', used);
    ana.post('join', { room });
    const name = String(await ana.next('join'));
    expect(name).toMatch(CAME);
    eva.post('join', { room });
    expect(await eva.next('join')).toMatch(CAME);
    expect(await ana.next('join')).toMatch(CAME);

    eva.post('chat', { message: 'hola', room });
    expect(await ana.next('chat')).toBe('hola');
    expect(await eva.next('chat')).toBe('hola');

    eva.post('join', { room });
    expect(await eva.next('join')).toMatch(CAME);
    eva.post('leave', { room });
    expect(await ana.next('leave')).toMatch(WENT);
    ana.post('chat', { message: 'nadie', room });
    expect(await ana.next('chat')).toBe('nadie');
    expect(eva.rest()).toEqual([]);
    ana.close();
    eva.close();
  });

  test('separates rooms with different names, ignoring case', async () => {
    const ana = await OldPage.open(server.url, 'rooms');
    const eva = await OldPage.open(server.url, 'rooms');
    ana.post('join', { room: '¿Qué tal?' });
    await ana.next('join');
    eva.post('join', { room: '¡Qué tal!' });
    await eva.next('join');
    eva.post('join', { room: '¿QUÉ TAL?' });
    await eva.next('join');
    await ana.next('join');

    eva.post('chat', { message: 'una', room: '¡qué tal!' });
    expect(await eva.next('chat')).toBe('una');
    eva.post('chat', { message: 'otra', room: '¿qué tal?' });
    expect(await eva.next('chat')).toBe('otra');
    expect(await ana.next('chat')).toBe('otra');
    ana.close();
    eva.close();
  });

  test('refuses non-members and malformed events', async () => {
    const ana = await OldPage.open(server.url, 'rooms');
    ana.post('chat', { message: 'hola', room: 'nueva' });
    expect(await ana.next('error')).toMatchObject({ code: 'not_found' });
    for (const wrong of [{}, { room: 7 }, { room: null }, 'nueva', 3, null, [], { room: '' }]) {
      ana.post('join', wrong);
      expect(await ana.next('error')).toMatchObject({ code: 'invalid' });
      ana.post('leave', wrong);
      expect(await ana.next('error')).toMatchObject({ code: 'invalid' });
    }
    ana.post('join', { room: 'nueva' });
    await ana.next('join');
    for (const message of [undefined, 7, {}, '']) {
      ana.post('chat', { message, room: 'nueva' });
      expect(await ana.next('error')).toMatchObject({ code: 'invalid' });
    }
    const eva = await OldPage.open(server.url, 'rooms');
    eva.post('chat', { message: 'hola', room: 'nueva' });
    expect(await eva.next('error')).toMatchObject({ code: 'not_member' });
    expect(ana.rest()).toEqual([]);
    ana.close();
    eva.close();
  });
});
