import type { ChatOptions, OpenLink, ServerFrame } from '../../client/index.js';
import { ServerAddress } from '../../client/server-address.js';
import { webSocketLinks } from '../../client/transports/websocket.js';
import { eventually } from '../support/eventually.js';
import { Scene } from './scene.js';
import { afterCut, headOf, member, ROOM, say } from './talk.js';

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.dispose());

/** Returns options for a client whose frames a test can drop, repeat or delay. */
function intercept(
  onFrame: (frame: ServerFrame, deliver: (frame: ServerFrame) => void) => void,
): Pick<ChatOptions, 'transport'> {
  const open = webSocketLinks(new ServerAddress(scene.url));
  const transport: OpenLink = (listener) =>
    open({
      opened: () => listener.opened(),
      frame: (frame) => onFrame(frame, (delivered) => listener.frame(delivered)),
      closed: (...end) => listener.closed(...end),
    });
  return { transport };
}

test('requests the events that are missing before one that arrived', async () => {
  let lost = 0;
  const options = intercept((frame, deliver) => {
    const isLost = 'event' in frame && frame.event === 'message.created' && ++lost <= 2;
    if (!isLost) deliver(frame);
  });
  const ann = await scene.member('websocket', ROOM, options);
  const rob = await member(scene);
  for (const text of ['one', 'two', 'three', 'four']) await say(rob, text);
  const head = await headOf(rob);
  await ann.untilEvent(ROOM, head);

  expect(lost).toBeGreaterThan(2);
  expect(ann.seqs(ROOM)).toEqual(afterCut(ann, head));
});

test('drops an event that arrives twice', async () => {
  const options = intercept((frame, deliver) => {
    deliver(frame);
    deliver(frame);
  });
  const ann = await scene.member('websocket', ROOM, options);
  const rob = await member(scene);
  const { seq } = await say(rob, 'once');
  await ann.untilEvent(ROOM, seq);
  await ann.chat.call('session.ping');

  expect(ann.seqs(ROOM)).toEqual(afterCut(ann, seq));
});

test('lets code that awaits a cut continue before it delivers events after the cut', async () => {
  const arrived: (() => void)[] = [];
  const options = intercept((frame, deliver) => arrived.push(() => deliver(frame)));
  const rob = await member(scene);
  const ann = scene.chat('websocket', options);
  /** Waits for `count` frames and delivers them in one turn of the event loop. */
  const deliverFrames = async (count: number) => {
    await eventually(() => arrived.length >= count, `${String(count)} frames`);
    for (const frame of arrived.splice(0)) frame();
  };
  const ready = ann.chat.ready();
  await deliverFrames(1);
  await ready;
  const join = ann.chat.call('room.join', { room: ROOM });
  await eventually(() => arrived.length > 0, 'the cut');
  const { seq } = await say(rob, 'at once');
  const delivered = deliverFrames(2);
  await join;
  const seen: number[] = [];
  ann.chat.on('message.created', (event) => seen.push(event.seq));
  await delivered;
  await ann.untilEvent(ROOM, seq);

  expect(seen).toEqual([seq]);
});
