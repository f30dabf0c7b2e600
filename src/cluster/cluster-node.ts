import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';

import { ClusterLink, type ClusterListener } from '../bus/cluster-link.js';
import type { BusState } from '../bus/cluster-bus.js';
import type { ChangeEvent, Control, Ephemeral, LogChange, NodeDescription } from '../bus/frames.js';
import { openBus, OPEN_BUS, type OpenBus } from '../bus/open-bus.js';
import type { PeerInfo } from '../bus/peer.js';
import type { RecheckCause, RecheckScope } from '../bus/recheck-queue.js';
import { OpenConnections } from '../chat/open-connections.js';
import { CONFIG, type Config } from '../config/config.js';
import { digestOf, clusterSettings } from '../config/cluster-settings.js';
import { Database } from '../database/database.js';
import { PeriodicJob } from '../database/periodic-job.js';
import { Reader } from '../database/reader.js';
import type { AppendedEvent } from '../database/write-job.js';
import { Writer, type CommitListener } from '../database/writer.js';
import { findWriters } from '../database/writer-name.js';
import type { Message } from '../protocol/models.js';
import { LogFeed } from '../store/log-feed.js';
import { joinCluster } from './cluster-row.js';
import { HeadCheck } from './head-check.js';
import { Isolation } from './isolation.js';
import { ClusterRelay } from './cluster-relay.js';

/** Time between two comparisons of all followed logs, whatever the bus says. */
const SLOW_CHECK_MS = 10_000;
const WATCH_MS = 500;
/** Time limit for the last commits to be announced. */
const STOP_MS = 2_000;
/** Control message: its sender has stored events that it cannot name. */
const RECHECK = 'recheck';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** Connects this server to the others on its database; does nothing on a single server. */
@Injectable()
export class ClusterNode
  implements CommitListener, ClusterListener, OnModuleInit, OnApplicationShutdown
{
  private readonly logger = new Logger('Cluster');
  private readonly isolation: Isolation;
  private readonly jobs: PeriodicJob[] = [];
  private link: ClusterLink | undefined;
  private heads: HeadCheck | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: Database,
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly feed: LogFeed,
    private readonly relay: ClusterRelay,
    connections: OpenConnections,
    @Optional() @Inject(OPEN_BUS) private readonly open: OpenBus = openBus,
  ) {
    this.isolation = new Isolation(connections);
  }

  /**
   * Joins the cluster; does not wait for the bus.
   *
   * @throws StartError if another server runs with different settings
   */
  async onModuleInit(): Promise<void> {
    const { config, writer } = this;
    const { busUrl: url, databaseUrl } = config;
    if (url === undefined || databaseUrl === undefined) return;
    const { boot } = this.database;
    const cluster = await joinCluster(writer, config, boot);
    const bus = await this.open({ url, databaseUrl, clusterId: cluster.id });
    const description = describe(config);
    const link = new ClusterLink({
      bus,
      cluster,
      boot,
      describe: () => description,
      listener: this,
    });
    this.link = link;
    this.heads = new HeadCheck(this.feed, cluster.partitions);
    this.relay.connect(link);
    link.start();
    this.every('check of all logs', SLOW_CHECK_MS, () => this.heads?.ask('all'));
    this.every('watch of the cluster', WATCH_MS, () => this.watch(link));
    this.logger.log({ msg: 'Joined the cluster', cluster: cluster.id, boot });
  }

  /** Leaves after the last event is announced. */
  async onApplicationShutdown(): Promise<void> {
    const { link } = this;
    if (link === undefined) return;
    const stopped = this.stopJobs().then(() => this.writer.drained());
    // A database that does not answer must not delay the stop.
    await Promise.race([stopped, delay(STOP_MS, undefined, { ref: false })]);
    await link.leave();
  }

  committed(events: readonly AppendedEvent[]): void {
    this.link?.announce(toChanges(events));
  }

  /** Others cannot know either which of the last commits are stored. */
  restored(): Promise<() => void> {
    return Promise.resolve(() => {
      this.link?.sendControl({ to: 'all', type: RECHECK, data: null });
    });
  }

  log({ log, epoch, head, events }: LogChange): void {
    if (events === undefined) this.feed.heardHead(log, { epoch, seq: head });
    else this.feed.heard(events.map((event) => toAppended(log, epoch, event)));
  }

  ephemeral(ephemeral: Ephemeral): void {
    this.relay.heard(ephemeral);
  }

  control({ type }: Control): void {
    if (type === RECHECK) this.heads?.ask('all');
  }

  recheck({ logs, hasControl }: RecheckScope, cause: RecheckCause): void {
    this.logger.debug({ msg: 'Comparing logs', cause });
    this.heads?.ask(hasControl ? 'all' : logs);
  }

  busChanged(state: BusState): void {
    this.logger.debug({ msg: 'bus', state });
  }

  peerFound({ boot, description }: PeerInfo): void {
    this.logger.log({ msg: 'Found another server', boot, address: description?.address });
  }

  peerSilent({ boot, description }: PeerInfo): void {
    this.logger.warn({ msg: 'Another server is silent', boot, address: description?.address });
  }

  peerBack({ boot, description }: PeerInfo): void {
    this.logger.log({ msg: 'Another server is back', boot, address: description?.address });
  }

  peerLeft({ boot, description }: PeerInfo): void {
    this.logger.log({ msg: 'Another server has stopped', boot, address: description?.address });
  }

  private async stopJobs(): Promise<void> {
    for (const job of this.jobs) await job.stop();
    await this.heads?.stop();
  }

  private async watch(link: ClusterLink): Promise<void> {
    const hasDatabase = this.database.isReady();
    this.isolation.note(!hasDatabase && link.isAway, performance.now());
    if (hasDatabase) await this.forgetEnded(link, link.silentBoots());
  }

  /** Forgets silent servers that can commit nothing more, once all their commits are known here. */
  private async forgetEnded(link: ClusterLink, silent: readonly string[]): Promise<void> {
    if (silent.length === 0) return;
    const { databaseSchema } = this.config;
    const writers = await this.reader.separately((sql) => findWriters(sql, databaseSchema));
    const ended = silent.filter((boot) => writers.every((writer) => writer.boot !== boot));
    if (ended.length === 0) return;
    this.heads?.ask('all');
    await this.heads?.done();
    for (const boot of ended) link.forget(boot);
  }

  private every(name: string, pauseMs: number, run: () => Promise<void> | void): void {
    const job = new PeriodicJob({ name, pauseMs, run });
    this.jobs.push(job);
    job.start();
  }
}

function describe(config: Config): NodeDescription {
  const address = `${hostname()}:${String(config.port)}`;
  return { address, version, settings: digestOf(clusterSettings(config)) };
}

/** Returns the changes of each log, in the order of their first events. */
function toChanges(events: readonly AppendedEvent[]): LogChange[] {
  const changes = new Map<string, LogChange & { readonly events: ChangeEvent[] }>();
  for (const { log, epoch, event, message } of events) {
    const before = changes.get(log)?.events ?? [];
    const changed: ChangeEvent = message === undefined ? event : { ...event, message };
    changes.set(log, { log, epoch, head: event.data.seq, events: [...before, changed] });
  }
  return [...changes.values()];
}

function toAppended(log: string, epoch: string, changed: ChangeEvent): AppendedEvent {
  const { message = messageIn(changed), ...event } = changed;
  return { log, epoch, event, ...(message === undefined ? {} : { message }) };
}

/** Returns the message that the data of an event contains, which a frame does not repeat. */
function messageIn({ data }: ChangeEvent): Message | undefined {
  if (!('message' in data) || typeof data.message === 'string') return undefined;
  return data.message;
}
