import { inspect } from 'node:util';

import { Logger } from '@nestjs/common';

import { openBus } from '#src/bus/open-bus.js';
import type { ClusterBus } from '#src/bus/cluster-bus.js';
import { PinoLogger } from '#src/server/logger.js';
import { newId } from '#src/store/new-id.js';

import { BUS_SERVICES, busAddress, type BusService } from '../support/bus-services.js';
import { ChaosProxy } from '../support/chaos-proxy.js';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/free-port.js';

beforeAll(() => void Logger.overrideLogger(new PinoLogger('fatal')));

describe.each(BUS_SERVICES)('the bus over $title', (service) => {
  const onService = service.isRun ? test : test.skip;
  const opened: ClusterBus[] = [];
  const proxies: ChaosProxy[] = [];
  let target: Awaited<ReturnType<BusService['open']>>;

  beforeAll(async () => {
    if (service.isRun) target = await service.open();
  });

  afterEach(async () => {
    for (const bus of opened.splice(0)) await bus.close();
    for (const proxy of proxies.splice(0)) await proxy.close();
  });

  afterAll(async () => {
    if (service.isRun) await target.program?.dispose();
  });

  async function open(clusterId: string, port = target.port): Promise<ClusterBus> {
    const address = busAddress(service, { host: target.host, port });
    const bus = await openBus({ ...address, clusterId });
    opened.push(bus);
    return bus;
  }

  async function openProxy(): Promise<ChaosProxy> {
    const proxy = await ChaosProxy.start(target);
    proxies.push(proxy);
    return proxy;
  }

  onService('carries any bytes between nodes, in the order of each', async () => {
    const clusterId = newId();
    const [one, two, reader] = await Promise.all([1, 2, 3].map(() => open(clusterId)));
    const heard: string[] = [];
    await reader?.subscribe('p.1', (bytes) => heard.push(Buffer.from(bytes).toString('latin1')));
    for (const bus of [one, two]) await bus?.subscribe('p.2', () => undefined);

    for (let n = 0; n < 200; n++) {
      expect(one?.publish('p.1', Buffer.from(`1 \0\n\xff ${String(n)}`, 'latin1'))).toBe(true);
      expect(two?.publish('p.1', Buffer.from(`2 \0\n\xff ${String(n)}`, 'latin1'))).toBe(true);
      expect(two?.publish('p.2', Buffer.from('other'))).toBe(true);
    }
    await eventually(() => heard.length === 400, '400 frames');

    for (const sender of ['1', '2']) {
      const frames = heard.filter((frame) => frame.startsWith(sender));
      const sent = Array.from({ length: 200 }, (_, n) => `${sender} \0\n\xff ${String(n)}`);
      expect(frames).toEqual(sent);
    }
  });

  onService('confirms a subscription before it resolves', async () => {
    const clusterId = newId();
    const [sender, reader] = [await open(clusterId), await open(clusterId)];
    await sender.subscribe('p.0', () => undefined);
    for (let n = 0; n < 20; n++) {
      const subject = `p.${String(n)}`;
      const heard = new Promise((resolve) => {
        void reader.subscribe(subject, resolve).then(() => {
          expect(sender.publish(subject, Buffer.from('now'))).toBe(true);
        });
      });
      await heard;
    }
  });

  onService('keeps clusters apart', async () => {
    const [mine, theirs] = [await open(newId()), await open(newId())];
    const heard: string[] = [];
    await mine.subscribe('p.1', () => heard.push('mine'));
    await theirs.subscribe('p.1', () => heard.push('theirs'));

    theirs.publish('p.1', Buffer.from('1'));
    await eventually(() => heard.length > 0, 'a frame');
    mine.publish('p.1', Buffer.from('2'));
    await eventually(() => heard.length > 1, 'another frame');

    expect(heard).toEqual(['theirs', 'mine']);
  });

  onService('ends a subscription', async () => {
    const bus = await open(newId());
    const heard: string[] = [];
    await bus.subscribe('p.1', () => heard.push('1'));
    await bus.subscribe('p.2', () => heard.push('2'));
    bus.unsubscribe('p.1');
    bus.publish('p.1', Buffer.from('dropped'));
    bus.publish('p.2', Buffer.from('kept'));
    await eventually(() => heard.length > 0, 'a frame');

    expect(heard).toEqual(['2']);
  });

  onService('carries frames up to its limit, and refuses larger ones', async () => {
    const bus = await open(newId());
    const lengths: number[] = [];
    await bus.subscribe('p.255', (bytes) => lengths.push(bytes.length));
    const { maxBytes } = bus;

    expect(bus.publish('p.255', Buffer.alloc(maxBytes + 1))).toBe(false);
    expect(bus.publish('p.255', Buffer.alloc(maxBytes))).toBe(true);
    await eventually(() => lengths.length > 0, 'the frame');

    expect(lengths).toEqual([maxBytes]);
    expect(bus.losses).toBe(0);
  });

  onService('starts without the service, and connects when it comes', async () => {
    const proxy = await openProxy();
    proxy.cut();
    const bus = await open(newId(), proxy.port);
    const heard: string[] = [];
    const subscribed = bus.subscribe('p.1', () => heard.push('1'));

    expect(bus.publish('p.1', Buffer.from('dropped'))).toBe(false);
    expect(bus.state).toBe('away');

    proxy.repair();
    expect(await subscribed).toBe(true);
    expect(bus.state).toBe('connected');
    bus.publish('p.1', Buffer.from('kept'));
    await eventually(() => heard.length > 0, 'a frame');
    expect(heard).toEqual(['1']);
  });

  onService('notices a broken connection, and subscribes again before it is back', async () => {
    const proxy = await openProxy();
    const clusterId = newId();
    const [near, far] = [await open(clusterId), await open(clusterId, proxy.port)];
    const heard: string[] = [];
    await far.subscribe('p.1', (bytes) => heard.push(Buffer.from(bytes).toString()));
    await near.subscribe('p.1', () => undefined);
    const states: string[] = [];
    far.onState((state) => {
      states.push(state);
      if (state === 'connected') near.publish('p.1', Buffer.from('after'));
    });

    proxy.cut();
    await eventually(() => far.state === 'away', 'the loss');
    near.publish('p.1', Buffer.from('lost'));
    expect(far.publish('p.1', Buffer.from('dropped'))).toBe(false);
    proxy.repair();
    await eventually(() => heard.length > 0, 'a frame');

    expect(states).toEqual(['away', 'connected']);
    expect(heard).toEqual(['after']);
    expect(far.losses).toBe(1);
  });

  onService('notices a network that swallows everything, and connects again', async () => {
    const proxy = await openProxy();
    const bus = await open(newId(), proxy.port);
    await bus.subscribe('p.1', () => undefined);

    proxy.blackHole();
    await eventually(() => bus.state === 'away', 'the loss');
    await eventually(() => bus.state === 'connected', 'a new connection');

    expect(bus.losses).toBe(1);
  });

  onService('drops frames instead of collecting them for a service that stands still', async () => {
    const proxy = await openProxy();
    const bus = await open(newId(), proxy.port);
    await bus.subscribe('p.1', () => undefined);

    proxy.blackHole();
    const frame = Buffer.alloc(Math.min(bus.maxBytes, 64 * 1_024));
    let sentBytes = 0;
    while (bus.publish('p.1', frame)) sentBytes += frame.length;

    expect(sentBytes).toBeLessThanOrEqual(9 * 1_024 * 1_024);
    await eventually(() => bus.state === 'away', 'the loss');
  });

  onService('sends what was published before it closes', async () => {
    const clusterId = newId();
    const [sender, reader] = [await open(clusterId), await open(clusterId)];
    const heard: string[] = [];
    await reader.subscribe('p.1', (bytes) => heard.push(Buffer.from(bytes).toString()));
    await sender.subscribe('p.2', () => undefined);

    sender.publish('p.1', Buffer.from('last'));
    await sender.close();
    await eventually(() => heard.length > 0, 'the last frame');

    expect(heard).toEqual(['last']);
    expect(sender.publish('p.1', Buffer.from('late'))).toBe(false);
    expect(await sender.subscribe('p.3', () => undefined)).toBe(false);
  });

  test('does not log credentials if nothing listens', async () => {
    const [port] = await freePorts(1);
    const text = await logWithCredentials(service, { host: '127.0.0.1', port: port ?? 0 });

    expect(text).toContain('ECONNREFUSED');
  });

  onService('does not log credentials that the service refuses', async () => {
    await logWithCredentials(service, target);
  });

  const onProgram = service.scheme === 'postgres' ? undefined : onService;
  onProgram?.('connects again to a service that was killed and started', async () => {
    const bus = await open(newId());
    const heard: string[] = [];
    await bus.subscribe('p.1', (bytes) => heard.push(Buffer.from(bytes).toString()));

    await target.program?.kill();
    await eventually(() => bus.state === 'away', 'the loss');
    await target.program?.start();
    await eventually(() => bus.state === 'connected', 'a new connection');
    bus.publish('p.1', Buffer.from('hi'));
    await eventually(() => heard.length > 0, 'a frame');

    expect(heard).toEqual(['hi']);
  });
});

/** Opens a bus with credentials, and returns what it logs until its first line. */
async function logWithCredentials(
  service: BusService,
  address: { host: string; port: number },
): Promise<string> {
  const [user, password] = ['bus-user', 'p@ss-word'];
  const credentials = `${user}:${encodeURIComponent(password)}@`;
  const lines: unknown[] = [];
  const note = (...line: unknown[]): void => void lines.push(line);
  Logger.overrideLogger({ log: note, warn: note, error: note });
  try {
    const urls = busAddress(service, address, credentials);
    const bus = await openBus({ ...urls, clusterId: newId() });
    await eventually(() => lines.length > 0, 'a line in the log');
    await bus.close();
  } finally {
    Logger.overrideLogger(new PinoLogger('fatal'));
  }
  const text = inspect(lines, { depth: 10, showHidden: true });
  expect(text).toContain(`${address.host}:${String(address.port)}`);
  for (const secret of [user, password, encodeURIComponent(password)]) {
    expect(text).not.toContain(secret);
  }
  return text;
}
