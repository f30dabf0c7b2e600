import type { OpenLink, ServerFrame } from '../../client/index.js';
import { webSocketLinks } from '../../client/transports/websocket.js';
import { eventually } from '../support/eventually.js';
import { Scene } from './scene.js';
import { afterCut, headOf, member, ROOM, say } from './talk.js';

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.dispose());

/** Frames as they come from the server, given to the client when and as a test wants. */
function between(takeFrame: (frame: ServerFrame, give: (frame: ServerFrame) => void) => void) {
  const open = webSocketLinks(scene.url);
  const transport: OpenLink = (listener) =>
    open({
      opened: () => listener.opened(),
      frame: (frame) => takeFrame(frame, (given) => listener.frame(given)),
      closed: (code, reason) => listener.closed(code, reason),
    });
  return { transport };
}

test('asks for the events that are missing before one that came', async () => {
  let lost = 0;
  const options = between((frame, give) => {
    const isLost = 'event' in frame && frame.event === 'message.created' && ++lost <= 2;
    if (!isLost) give(frame);
  });
  const ann = await scene.member('websocket', ROOM, options);
  const rob = await member(scene);
  for (const text of ['one', 'two', 'three', 'four']) await say(rob, text);
  const head = await headOf(rob);
  await ann.reaches(ROOM, head);

  expect(lost).toBeGreaterThan(2);
  expect(ann.seqs(ROOM)).toEqual(afterCut(ann, head));
});

test('drops an event that comes twice', async () => {
  const options = between((frame, give) => {
    give(frame);
    give(frame);
  });
  const ann = await scene.member('websocket', ROOM, options);
  const rob = await member(scene);
  const { seq } = await say(rob, 'once');
  await ann.reaches(ROOM, seq);
  await ann.chat.call('session.ping');

  expect(ann.seqs(ROOM)).toEqual(afterCut(ann, seq));
});

test('lets who awaits a cut go on before it hands out events after it', async () => {
  const arrived: (() => void)[] = [];
  const options = between((frame, give) => arrived.push(() => give(frame)));
  const rob = await member(scene);
  const ann = scene.chat('websocket', options);
  /** Gives the client what has arrived, in one turn of the event loop, once it is so much. */
  const give = async (count: number) => {
    await eventually(() => arrived.length >= count, `${String(count)} frames`);
    for (const frame of arrived.splice(0)) frame();
  };
  const ready = ann.chat.ready();
  await give(1);
  await ready;
  const join = ann.chat.call('room.join', { room: ROOM });
  await eventually(() => arrived.length > 0, 'the cut');
  const { seq } = await say(rob, 'at once');
  const given = give(2);
  await join;
  const seen: number[] = [];
  ann.chat.on('message.created', (event) => seen.push(event.seq));
  await given;
  await ann.reaches(ROOM, seq);

  expect(seen).toEqual([seq]);
});
