import { busService } from '../support/test-cluster.js';
import { ClusterUnderTest, describeCluster } from './cluster.js';

const nats = busService('nats');
const isRun = nats.isRun && process.env['TEST_DATABASE'] === 'postgres';

(isRun ? describe : describe.skip)(`three servers over ${nats.title}`, () => {
  let service: Awaited<ReturnType<typeof nats.open>>;

  beforeAll(async () => {
    service = await nats.open();
  });

  afterAll(async () => {
    await service.program?.dispose();
  });

  const url = (): string => `nats://${service.host}:${String(service.port)}`;
  describeCluster(new ClusterUnderTest(url), [5]);
});
