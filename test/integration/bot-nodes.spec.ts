import { Lease } from '#src/database/lease.js';
import { Writer } from '#src/database/writer.js';
import { Args, ChatBot, Ctx, OnAlarm, OnCommand } from '#src/bots/kit/chat-bot.decorator.js';
import type { BotContext } from '#src/bots/kit/bot-context.js';
import type { BotHello } from '#src/protocol/bots.js';

import { say } from '../conformance/meeting.js';
import { ALL_SCOPES, registerRemoteBot } from '../conformance/remote-bot.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { Gate } from '../support/gate.js';
import { HeldWriter } from '../support/held-writer.js';
import { NodePair } from '../support/node-pair.js';
import type { TestServer } from '../support/server.js';
import { connectClient, openWire } from '../support/wire-transports.js';

const ROOM = 'bots';
const TEST_MS = 60_000;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

/** Echoes texts, and notes them, at once or at an alarm. */
@ChatBot({ name: 'echo', about: 'Echoes.' })
class EchoBot {
  readonly texts: string[] = [];
  gate: Gate | null = null;

  @OnCommand('echo', { help: '/echo text' })
  async echo(@Args() text: string): Promise<string> {
    this.texts.push(text);
    await this.gate?.pass();
    return text;
  }

  @OnCommand('later', { help: '/later text' })
  later(@Ctx() bot: BotContext, @Args() text: string): void {
    bot.alarms.set('later', bot.now + 500, text);
  }

  @OnAlarm()
  due(@Args() { value }: { value: string }): string {
    this.texts.push(value);
    return value;
  }
}

const botOf = ({ app }: TestServer): EchoBot => app.get(EchoBot);
const leaseOf = ({ app }: TestServer): Lease => app.get(Lease);

function connect(server: TestServer, hello: object): Promise<TestClient> {
  return connectClient('websocket', server.port, { ...hello });
}

onPostgres('of two servers that share a database', () => {
  let nodes: NodePair;
  let ann: TestClient;
  let bob: TestClient;

  beforeEach(async () => {
    nodes = await NodePair.start({}, { bots: [EchoBot] });
    ann = await connect(nodes.one, { name: 'ann' });
    bob = await connect(nodes.two, { name: 'bob' });
    await ann.ok('room.join', { room: ROOM, create: true });
    await bob.ok('room.join', { room: ROOM });
    await ann.ok('bot.add', { room: ROOM, bot: 'echo' });
  }, TEST_MS);

  afterEach(async () => {
    await nodes.dispose();
  }, TEST_MS);

  const answers = (client: TestClient): string[] =>
    client
      .events('message.created')
      .map(({ data }) => data['message'] as { text: string; sender: { name: string } })
      .filter(({ sender }) => sender.name === 'echo')
      .map(({ text }) => text);
  const answer = (client: TestClient, text: string) =>
    client.event('message.created', ({ message }) => message.text === text);

  /** Lets the lease of the first server end without its knowledge, and the second one take it. */
  async function takeOver(): Promise<void> {
    const end = 'UPDATE leases SET expires_at = 0';
    const { app } = nodes.two;
    await eventually(async () => {
      await app.get(Writer).run([], ({ sql }) => sql.run(end));
      // The first server may have renewed the lease in between.
      await leaseOf(nodes.two).attempt();
      return leaseOf(nodes.two).isHeld;
    }, 'the second server to take the lease');
  }

  /** Waits until an alarm is stored. */
  async function untilAlarm(): Promise<void> {
    const alarm = 'SELECT key FROM bot_state';
    const { app } = nodes.two;
    await eventually(async () => {
      const found = await app.get(Writer).run([], ({ sql }) => sql.get(alarm));
      return found !== undefined;
    }, 'the alarm to be set');
  }

  test('one runs the bots, also for users of the other one', async () => {
    await say(ann, ROOM, '/echo here');
    await answer(bob, 'here');
    await say(bob, ROOM, '/echo there');
    await answer(ann, 'there');

    expect(botOf(nodes.one).texts).toEqual(['here', 'there']);
    expect(botOf(nodes.two).texts).toEqual([]);
  });

  test('the other one runs them after a stop, from where they were', async () => {
    await say(ann, ROOM, '/echo before');
    await answer(bob, 'before');
    await nodes.one.stop();
    nodes.withhold();
    await say(bob, ROOM, '/echo between');
    await answer(bob, 'between');
    await say(bob, ROOM, '/echo after');
    await answer(bob, 'after');

    expect(botOf(nodes.two).texts).toEqual(['between', 'after']);
    expect(answers(bob)).toEqual(['before', 'between', 'after']);
  });

  test('one that no longer holds the lease writes no answer', async () => {
    const gate = (botOf(nodes.one).gate = new Gate());
    await say(ann, ROOM, '/echo once');
    await gate.reached;
    await takeOver();
    await answer(bob, 'once');
    const fence = leaseOf(nodes.one).fence();
    const stale = nodes.one.app.get(Writer).run([], async (tx) => fence?.(tx));
    await expect(stale).rejects.toMatchObject({ code: 'unavailable' });
    gate.release();
    await leaseOf(nodes.one).attempt();
    await say(bob, ROOM, '/echo twice');
    await answer(bob, 'twice');
    await bob.roundTrip();

    expect(botOf(nodes.one).texts).toEqual(['once']);
    expect(botOf(nodes.two).texts).toEqual(['once', 'twice']);
    expect(answers(bob)).toEqual(['once', 'twice']);
  });

  test('the other one takes over from one that stands still', async () => {
    const held = await HeldWriter.hold(nodes.one);
    await say(bob, ROOM, '/echo still');
    await answer(bob, 'still');

    expect(leaseOf(nodes.one).isHeld).toBe(false);
    expect(answers(bob)).toEqual(['still']);
    held.release();
    await leaseOf(nodes.one).attempt();
    expect(leaseOf(nodes.two).isHeld).toBe(true);
  });

  test('the next one fires the alarms that are overdue', async () => {
    await say(ann, ROOM, '/later alarm');
    await untilAlarm();
    const held = await HeldWriter.hold(nodes.one);
    await answer(bob, 'alarm');
    held.release();

    expect(botOf(nodes.two).texts).toEqual(['alarm']);
  });

  test('one fires the alarms', async () => {
    await say(ann, ROOM, '/later alarm');
    await untilAlarm();
    await takeOver();
    await answer(bob, 'alarm');
    await bob.roundTrip();

    expect(botOf(nodes.two).texts).toEqual(['alarm']);
    expect(answers(bob)).toEqual(['alarm']);
  });

  describe('a remote bot', () => {
    let token: string;
    const join = (server: TestServer, bot: BotHello = {}) => connect(server, { token, bot });

    beforeEach(async () => {
      token = await registerRemoteBot({ server: nodes.one }, 'remote');
      await ann.ok('bot.add', { room: ROOM, bot: 'remote', scopes: [...ALL_SCOPES] });
    });

    test('is sent away by the one that does not run the bots', async () => {
      const bot = await TestClient.connect((listener) =>
        openWire('websocket', nodes.two.port, listener),
      );
      await bot.expectError('hello', { protocol: 1, token, bot: {} }, 'unavailable');
      const bye = await bot.event('bye');

      expect(bye).toMatchObject({ code: 4103, reason: 'another server runs the bots' });
    });

    test('gets what it has not acknowledged from the next one', async () => {
      const bot = await join(nodes.one);
      const first = await say(bob, ROOM, 'first');
      await bot.event('message.created', ({ message }) => message.text === 'first');
      await bot.ok('bot.ack', { room: ROOM, seq: first.seq });
      await say(bob, ROOM, 'second');
      await takeOver();
      await leaseOf(nodes.one).attempt();
      const bye = await bot.event('bye');
      const back = await join(nodes.two);
      await back.event('message.created', ({ message }) => message.text === 'second');

      expect(bye).toMatchObject({ code: 4103, reconnect: true });
      expect(back.events('message.created')).toHaveLength(1);
    });
  });
});
