import type { Message } from '#src/protocol/models.js';

import type { ReceivedEvent } from '../support/client.js';
import { findViolations, type Evidence } from './checker.js';
import { RoomLedger } from './ledger.js';
import { SeenLog } from './seen-log.js';

const ROOM = 'r';

/** Evidence that a test can tamper with. */
interface Scene {
  readonly ledger: RoomLedger;
  readonly log: ReceivedEvent[];
  readonly history: Message[];
  /** The events that each of two clients receives, in order. */
  readonly sent: ReceivedEvent[][];
}

function event(name: string, seq: number, about: object): ReceivedEvent {
  return { event: name, data: { room: ROOM, seq, at: 1_000 + seq, ...about } };
}

function message(seq: number, sender: string, cid: string, text = `text of ${cid}`): Message {
  const user = { id: sender, name: sender, kind: 'guest' as const };
  const about = { room: ROOM, seq, sender: user, at: 1_000 + seq };
  return { id: `m${String(seq)}`, ...about, text, cid, reactions: [] };
}

/** Returns a consistent room: four messages, an edit, a deletion, and a reaction set, removed and set again. */
function makeScene(): Scene {
  const ledger = new RoomLedger(ROOM);
  const history = [
    message(1, 'ann', 'a1'),
    message(2, 'bob', 'b1', 'edited'),
    { ...message(3, 'ann', 'a2', ''), deletedAt: 1_006, deletedBy: 'ann' },
    { ...message(4, 'bob', 'b2'), reactions: [{ emoji: '👍', users: ['ann'] }] },
  ];
  for (const { sender, cid, id, seq } of history) {
    ledger.send(sender.id, String(cid), `text of ${String(cid)}`).acknowledged = { id, seq };
  }
  ledger.messages[1]?.edits.push('edited');
  Object.assign(ledger.messages[2] as object, { isDeleted: true });
  Object.assign(ledger.mark('m4', '👍', 'ann'), { isSet: true, changes: 3 });
  const log = [
    ...history.map((one) => event('message.created', one.seq, { message: one })),
    event('message.edited', 5, { message: history[1] }),
    event('message.deleted', 6, { message: history[2] }),
    event('reaction.added', 7, { message: 'm4', emoji: '👍', user: 'ann' }),
    event('reaction.removed', 8, { message: 'm4', emoji: '👍', user: 'ann' }),
    event('reaction.added', 9, { message: 'm4', emoji: '👍', user: 'ann' }),
  ];
  return { ledger, log, history, sent: [[...log], log.slice(2)] };
}

function violationsIn({ ledger, log, history, sent }: Scene): string[] {
  const seen = sent.map((events, index) => {
    const view = new SeenLog(`client-${String(index)}`, ROOM);
    view.start('epoch', ((events[0]?.data['seq'] as number | undefined) ?? 1) - 1);
    for (const one of events) view.add(one);
    return view;
  });
  return findViolations({ ledger, log, history, seen } satisfies Evidence);
}

function tamper(change: (scene: Scene) => void): string {
  const scene = makeScene();
  change(scene);
  return violationsIn(scene).join('\n');
}

test('finds no violations in consistent evidence', () => {
  expect(violationsIn(makeScene())).toEqual([]);
});

test('finds a lost message', () => {
  const found = tamper(({ history, log }) => {
    history.splice(3, 1);
    log.splice(3, 1);
  });
  expect(found).toContain('lost: message m4');
});

test('finds a message that is only in the log, or only in the history', () => {
  expect(tamper(({ history }) => history.splice(0, 1))).toContain('lost: message m1');
  expect(
    tamper(({ log }) => {
      log[0] = event('member.left', 1, { user: { id: 'eve' } });
    }),
  ).toContain('lost: there is no message.created at 1');
});

test('finds a message stored twice', () => {
  const found = tamper(({ history, log }) => {
    const again = { ...message(10, 'ann', 'a1') };
    history.push(again);
    log.push(event('message.created', 10, { message: again }));
  });
  expect(found).toContain('duplicated: ann a1 is in the history twice');
});

test('finds a message that no client sent', () => {
  const found = tamper(({ history }) => history.push(message(10, 'eve', 'e1')));
  expect(found).toContain('invented: no client sent m10');
});

test('finds a gap in the log', () => {
  expect(tamper(({ log }) => log.splice(6, 1))).toContain('gap: the log has 8 where 7 belongs');
});

test('finds a lost edit, deletion and reaction', () => {
  expect(
    tamper(({ history }) => {
      history[1] = message(2, 'bob', 'b1');
    }),
  ).toContain('lost: the text "edited" of m2');
  expect(
    tamper(({ history }) => {
      history[2] = message(3, 'ann', 'a2');
    }),
  ).toContain('lost: the deletion of m3');
  expect(
    tamper(({ history }) => {
      history[3] = message(4, 'bob', 'b2');
    }),
  ).toContain('lost: 👍 of ann on m4 should be set');
});

test('finds an edit, a deletion and a reaction that were applied twice', () => {
  const again = (scene: Scene, index: number) => {
    const { event: name, data } = scene.log[index] as ReceivedEvent;
    scene.log.push(event(name, 10, { ...data, seq: 10 }));
  };
  expect(tamper((scene) => again(scene, 4))).toContain('1 edits of m2, but 2 in the log');
  expect(tamper((scene) => again(scene, 5))).toContain('deletion of m3 is in the log 2 times');
  expect(tamper((scene) => again(scene, 6))).toContain('duplicated: a reaction 👍 of ann to m4');
});

test('finds messages of one sender that are not in the order sent', () => {
  const found = tamper(({ ledger }) => ledger.messages.reverse());
  expect(found).toContain('order: a1 came before what its sender had sent earlier');
});

test('finds a client that saw events in another order', () => {
  const found = tamper(({ sent: [first] }) => {
    const [a, b] = first as [ReceivedEvent, ReceivedEvent];
    first?.splice(
      0,
      2,
      { ...b, data: { ...b.data, seq: 1 } },
      { ...a, data: { ...a.data, seq: 2 } },
    );
  });
  expect(found).toContain('order: client-0 saw "message.created 1002 m2" at 1');
});

test('finds a client that saw an event twice', () => {
  const found = tamper(({ sent }) => sent[1]?.splice(2, 0, sent[1][1] as ReceivedEvent));
  expect(found).toContain('client-1 saw a duplicated: 4 followed 4');
});

test('finds a client that missed an event', () => {
  expect(tamper(({ sent }) => sent[0]?.splice(4, 1))).toContain('gap: client-0 saw 6 after 4');
  expect(tamper(({ sent }) => sent[0]?.pop())).toContain('gap: client-0 stopped at 8 of 9');
});

test('finds a client that saw an event which the log no longer has', () => {
  const found = tamper(({ log }) => log.pop());
  expect(found).toContain('order: client-0 saw "reaction.added 1009 m4 ann 👍" at 9');
});
