import { busAddress, BUS_SERVICES } from '../support/bus-services.js';
import { ClusterUnderTest, describeCluster } from './cluster.js';

const onPostgres = process.env['TEST_DATABASE'] === 'postgres';

/** All chapters that servers must keep together run over one bus, rooms over each. */
const CHAPTERS: Readonly<Record<string, readonly number[]>> = {
  nats: [2, 3, 4, 5, 6],
  redis: [5],
  postgres: [5],
};

for (const service of BUS_SERVICES) {
  const isRun = onPostgres && service.isRun;
  (isRun ? describe : describe.skip)(`three servers over ${service.title}`, () => {
    let target: Awaited<ReturnType<typeof service.open>>;

    beforeAll(async () => {
      target = await service.open();
    });

    afterAll(async () => {
      await target.program?.dispose();
    });

    const cluster = new ClusterUnderTest(() => busAddress(service, target).url);
    describeCluster(cluster, CHAPTERS[service.scheme] ?? []);
  });
}
