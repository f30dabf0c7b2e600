import type { Member, Message, RoomCut } from '#src/protocol/models.js';

import type { ReceivedEvent } from '../support/client.js';
import { findViolations } from './checker.js';
import type { Change, ClientRecord, Observation, RoomReading, SentMessage } from './evidence.js';

const ROOM = 'r';
const EPOCH = 'e1';
const [ANN, BOB] = ['ann', 'bob'].map((id) => ({ id, name: id, kind: 'guest' as const }));
if (ANN === undefined || BOB === undefined) throw new Error('There are no users.');

/** Evidence that a test can tamper with. */
interface Scene {
  readonly ann: Mutable<ClientRecord>;
  readonly bob: Mutable<ClientRecord>;
  readonly first: Mutable<RoomReading>;
  readonly second: Mutable<RoomReading>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

function logged(event: string, seq: number, data: object): ReceivedEvent {
  return { event, data: { room: ROOM, seq, at: 1_000 + seq, ...data } };
}

function member(user: typeof ANN, seq: number): Member {
  return {
    user: user as Member['user'],
    role: seq === 2 ? 'owner' : 'member',
    joinedAt: 1_000 + seq,
  };
}

function message(seq: number, sender: typeof ANN, cid: string, text = cid): Message {
  const about = { room: ROOM, seq, sender: sender as Member['user'], at: 1_000 + seq };
  return { id: `m${String(seq)}`, ...about, text, cid, reactions: [] };
}

/** Returns a room of two: three messages, an edit, a reaction; then bob leaves. */
function makeReading(node: number): Mutable<RoomReading> {
  const info = { id: ROOM, kind: 'public' as const, title: ROOM, owner: 'ann', createdAt: 1_001 };
  const reacted = { ...message(6, BOB, 'b1'), reactions: [{ emoji: '👍', users: ['ann'] }] };
  const history = [message(4, ANN, 'a1', 'edited'), message(5, ANN, 'a2'), reacted];
  const log = [
    logged('room.created', 1, { info: { ...info, memberCount: 0 } }),
    logged('member.joined', 2, { member: member(ANN, 2), memberCount: 1 }),
    logged('member.joined', 3, { member: member(BOB, 3), memberCount: 2 }),
    ...history.map((one) => logged('message.created', one.seq, { message: one })),
    logged('message.edited', 7, { message: history[0] }),
    logged('reaction.added', 8, { message: 'm6', emoji: '👍', user: 'ann' }),
    logged('member.left', 9, { user: BOB, reason: 'left', memberCount: 1 }),
  ];
  const cut = makeCut(9, [member(ANN, 2)], history, info);
  const both = [member(ANN, 2), member(BOB, 3)];
  const earlier = { cut: makeCut(5, both, history.slice(0, 2), info), events: log.slice(5) };
  return { node, room: ROOM, epoch: EPOCH, log, history, cut, earlier };
}

function makeCut(seq: number, members: Member[], messages: Message[], info: object): RoomCut {
  return {
    ...{ room: ROOM, epoch: EPOCH, seq, members, messages, hasMore: false },
    info: { ...info, memberCount: members.length } as RoomCut['info'],
    you: member(ANN, 2),
    memberCount: members.length,
    presence: { online: [], count: 0 },
  };
}

function sent(user: string, cid: string, at: number, outcome: SentMessage['outcome']): SentMessage {
  const attempts = [{ at, connection: user === 'ann' ? 1 : 2 }];
  return { room: ROOM, sender: user, cid, text: cid, attempts, outcome };
}

function acknowledged(at: number, seq: number): SentMessage['outcome'] {
  return { is: 'acknowledged', at, message: { id: `m${String(seq)}`, seq } };
}

function change(kind: Change['kind'], target: string, content: string): Change {
  const outcome = { is: 'acknowledged', at: 50 } as const;
  return { kind, room: ROOM, user: 'ann', message: target, content, outcome };
}

const event = (one: ReceivedEvent): Observation => ({ is: 'event', event: one });

/** Returns consistent evidence: ann resumes once, and bob leaves. */
function makeScene(): Scene {
  const [first, second] = [makeReading(0), makeReading(1)];
  const { log, earlier } = first;
  const start = { ...earlier?.cut, seq: 3, messages: [] } as unknown as RoomCut;
  const ann: Mutable<ClientRecord> = {
    name: 'client ann',
    user: 'ann',
    observations: [
      { is: 'opened', node: 0 },
      { is: 'cut', cut: start },
      event(log[3] as ReceivedEvent),
      { is: 'closed' },
      { is: 'opened', node: 1 },
      { is: 'resumed', room: ROOM, seq: 6 },
      ...log.slice(4).map(event),
    ],
    sent: [
      sent('ann', 'a1', 10, acknowledged(12, 4)),
      sent('ann', 'a2', 11, acknowledged(13, 5)),
      sent('ann', 'a3', 14, { is: 'refused', at: 15, code: 'too_long' }),
      sent('ann', 'a4', 16, { is: 'unknown' }),
    ],
    changes: [change('edit', 'm4', 'edited'), change('react', 'm6', '👍')],
  };
  const bob: Mutable<ClientRecord> = {
    name: 'client bob',
    user: 'bob',
    observations: [
      { is: 'opened', node: 1 },
      { is: 'cut', cut: start },
      ...log.slice(3).map(event),
      { is: 'left', room: ROOM, seq: 9 },
    ],
    sent: [sent('bob', 'b1', 14, acknowledged(17, 6))],
    changes: [],
  };
  return { ann, bob, first, second };
}

function violationsIn({ ann, bob, first, second }: Scene): string[] {
  return findViolations({ clients: [ann, bob], readings: [first, second] });
}

function tamper(tampering: (scene: Scene) => void): string {
  const scene = makeScene();
  tampering(scene);
  return violationsIn(scene).join('\n');
}

test('finds nothing in consistent evidence', () => {
  expect(violationsIn(makeScene())).toEqual([]);
});

describe('agreement', () => {
  test('finds a client that saw another event at a position', () => {
    const found = tamper(({ bob }) => {
      bob.observations[2] = event(logged('message.created', 4, { message: message(4, BOB, 'x') }));
      bob.observations[3] = event(logged('message.created', 5, { message: message(99, BOB, 'y') }));
    });
    expect(found).toContain('at 5 of r, but client bob saw "message.created 1005 m99"');
  });

  test('finds nodes with different logs', () => {
    const found = tamper(({ second }) => second.log.pop());
    expect(found).toContain('node 0 and node 1 have logs of r of different length: 9 and 8 events');
  });

  test('finds nodes with different epochs', () => {
    const found = tamper(({ second }) => (second.epoch = 'e2'));
    expect(found).toContain('node 0 and node 1 have different epochs of r');
  });
});

describe('messages', () => {
  test('finds a lost message, at the node that lost it', () => {
    const found = tamper(({ second }) => second.history.splice(1, 1));
    expect(found).toContain('lost: ann a2, acknowledged at 5, in r at node 1');
    expect(found).toContain('message m5 is in the log, but not in the history in r at node 1');
  });

  test('finds a message at another position than the acknowledged one', () => {
    const found = tamper(({ ann }) => {
      (ann.sent[1] as SentMessage).outcome = acknowledged(13, 4);
    });
    expect(found).toContain(
      'moved: ann a2 was acknowledged at 4, but is stored at 5 in r at node 0',
    );
  });

  test('finds a message that is stored twice', () => {
    const found = tamper(({ first }) => first.history.push(message(10, ANN, 'a1')));
    expect(found).toContain('doubled: ann a1 is stored 2 times in r at node 0');
    expect(found).toContain('message m10 is at 10, but the log creates it nowhere');
  });

  test('finds a message that was refused, and allows one of unknown outcome', () => {
    const stored = (cid: string) => (scene: Scene) => {
      scene.first.history.push(message(10, ANN, cid));
    };
    expect(tamper(stored('a3'))).toContain('ann a3 was refused (too_long), but is stored in r');
    expect(tamper(stored('a4'))).not.toMatch(/ann a4 (was|is)|lost|invented/);
  });

  test('finds a message that nobody sent', () => {
    const found = tamper(({ first }) => first.history.push(message(10, ANN, 'z')));
    expect(found).toContain('invented: nobody sent ann z, which is stored in r at node 0');
  });
});

describe('changes', () => {
  test('finds a lost and a doubled edit', () => {
    const lost = tamper(({ first }) => {
      first.history[0] = message(4, ANN, 'a1');
    });
    expect(lost).toContain('lost: m4 has the text "a1" instead of "edited" in r at node 0');
    const doubled = tamper(({ ann }) => {
      ann.changes.shift();
      ann.changes.push({
        ...change('edit', 'm4', 'edited'),
        outcome: { is: 'refused', at: 1, code: 'forbidden' },
      });
    });
    expect(doubled).toContain('doubled or refused: 1 message.edited of m4, but at most 0');
  });

  test('allows each of the texts of edits of unknown outcome', () => {
    const found = tamper(({ ann, first, second }) => {
      ann.changes.unshift({ ...change('edit', 'm4', 'first') });
      ann.changes[1] = { ...change('edit', 'm4', 'edited'), outcome: { is: 'unknown' } };
      for (const { log } of [first, second]) expect(log).toHaveLength(9);
    });
    expect(found).toBe('');
  });

  test('finds a lost deletion', () => {
    const found = tamper(({ ann }) => ann.changes.push(change('delete', 'm5', '')));
    expect(found).toContain('lost: the deletion of m5 in r at node 1');
  });

  test('finds a lost reaction, and one that should be gone', () => {
    const lost = tamper(({ first }) => {
      first.history[2] = message(6, BOB, 'b1');
    });
    expect(lost).toContain('lost: the reaction 👍 of ann to m6 is gone in r at node 0');
    const kept = tamper(({ ann }) => ann.changes.push(change('unreact', 'm6', '👍')));
    expect(kept).toContain('lost: the reaction 👍 of ann to m6 is still there in r at node 0');
  });
});

describe('order', () => {
  test('finds messages of a sender in another order than on their connection', () => {
    const found = tamper(({ ann }) => {
      Object.assign(ann.sent[0] as object, { attempts: [{ at: 20, connection: 1 }] });
    });
    expect(found).toContain(
      'order: ann a2 at 5 of r comes after ann a1 at 4 of r, but was sent before',
    );
  });

  test('finds a message before one that was acknowledged before it was sent', () => {
    const found = tamper(({ ann, bob }) => {
      Object.assign(bob.sent[0] as object, { outcome: acknowledged(9, 6) });
      Object.assign(bob.sent[0] as object, { attempts: [{ at: 8, connection: 2 }] });
      expect(ann.sent).toHaveLength(4);
    });
    expect(found).toContain(
      'order: bob b1 at 6 of r was acknowledged before ann a2 at 5 of r was sent',
    );
  });
});

describe('streams', () => {
  test('finds a missed event, and a repeated one', () => {
    const missed = tamper(({ bob }) => bob.observations.splice(4, 1));
    expect(missed).toContain('client bob missed events: it received 7 of r after 5');
    const repeated = tamper(({ bob, first }) => {
      bob.observations.splice(4, 0, event(first.log[4] as ReceivedEvent));
    });
    expect(repeated).toContain('client bob received 5 of r twice');
  });

  test('finds a step back, in events and in cuts', () => {
    const events = tamper(({ bob, first }) => {
      bob.observations.splice(5, 0, event(first.log[3] as ReceivedEvent));
    });
    expect(events).toContain('client bob stepped back to 4 of r after 6');
    const cuts = tamper(({ ann, first }) => {
      ann.observations.push({ is: 'cut', cut: { ...first.cut, seq: 8 } });
    });
    expect(cuts).toContain('client ann got a cut of r at 8 after 9');
  });

  test('finds a client that stopped early, also after a resume', () => {
    expect(tamper(({ ann }) => ann.observations.pop())).toContain(
      'client ann stopped at 8 of 9 in r',
    );
    const resumed = tamper(({ ann }) => ann.observations.splice(6));
    expect(resumed).toContain('client ann stopped at 4 of 9 in r');
  });

  test('finds a page that ends elsewhere than it says', () => {
    const found = tamper(({ ann, first }) => {
      const page = { is: 'page', room: ROOM, epoch: EPOCH, seq: 9, isLast: true } as const;
      ann.observations.splice(5, 99, { ...page, events: first.log.slice(4, 8) });
    });
    expect(found).toContain('client ann got a page of r that ends at 8, but says 9');
  });

  test('finds an event without attachment, and a lost position', () => {
    const found = tamper(({ ann }) => ann.observations.splice(5, 1));
    expect(found).toContain('client ann received message.created 5 of r without being attached');
    const lost = tamper(({ ann }) =>
      ann.observations.push({ is: 'lost', room: ROOM, reason: 'ahead' }),
    );
    expect(lost).toContain('client ann could not continue in r: ahead');
  });

  test('finds events after a leave, ephemeral ones too', () => {
    const typing = { event: 'typing', data: { room: ROOM, count: 1 } };
    const ephemeral = tamper(({ bob }) => bob.observations.push(event(typing)));
    expect(ephemeral).toContain('client bob received typing in r after it had left');
    const stored = tamper(({ bob, first, second }) => {
      const later = logged('message.created', 10, { message: message(10, ANN, 'a4') });
      for (const { log } of [first, second]) log.push(later);
      bob.observations.push(event(later));
    });
    expect(stored).toContain('client bob received message.created 10 of r after it had left');
  });

  test('finds an event after the reply to the leave, even before member.left', () => {
    const found = tamper(({ bob }) => {
      const [last, reply] = bob.observations.splice(-2) as [Observation, Observation];
      bob.observations.push({ ...reply, seq: 8 } as Observation, last);
    });
    expect(found).toContain('client bob received member.left 9 of r after it had left');
  });

  test('finds another epoch', () => {
    const found = tamper(({ ann, first }) => {
      ann.observations.push({ is: 'cut', cut: { ...first.cut, epoch: 'e2' } });
    });
    expect(found).toContain('client ann got another epoch of r: e2 after e1');
  });
});

describe('members', () => {
  test('finds a gap in a log', () => {
    const found = tamper(({ first }) => first.log.splice(4, 1));
    expect(found).toContain('the log of r at node 0 has 6 where 5 belongs');
  });

  test('finds a message and a reaction of a user who has left', () => {
    const found = tamper(({ first }) => {
      first.log.push(logged('message.created', 10, { message: message(10, BOB, 'b2') }));
      first.log.push(logged('reaction.added', 11, { message: 'm4', emoji: '🎉', user: 'bob' }));
    });
    expect(found).toContain('message.created by bob, who is no member, at 10 of r at node 0');
    expect(found).toContain('reaction.added by bob, who is no member, at 11 of r at node 0');
  });

  test('finds a user who joins twice', () => {
    const found = tamper(({ first }) => {
      first.log.push(logged('member.joined', 10, { member: member(ANN, 10), memberCount: 1 }));
    });
    expect(found).toContain('ann joins as a member at 10 of r at node 0');
  });
});

describe('state', () => {
  test('finds a node whose cut is not what its log says', () => {
    const found = tamper(({ second }) => {
      second.cut = { ...second.cut, members: [] };
    });
    expect(found).toContain('the log of r at node 1 has other members than a fresh copy');
    expect(found).toContain('r at node 1 has other members than a fresh copy');
  });

  test('finds a client whose room is not the fresh one', () => {
    const found = tamper(({ first }) => {
      first.cut = { ...first.cut, members: [] };
    });
    expect(found).toContain('r as client ann has it has other members than a fresh copy');
  });

  test('finds a replay that does not lead from an earlier cut to the fresh one', () => {
    const found = tamper(
      ({ first }) =>
        first.earlier?.events.slice(0, 1) &&
        (first.earlier = {
          ...first.earlier,
          events: first.earlier.events.slice(0, -1),
        }),
    );
    expect(found).toContain(
      'the cut at 5 and the events after it of r at node 0 has other position',
    );
  });
});
