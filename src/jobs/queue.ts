import {
  type BackendFactory,
  createPostgresBackend,
  createRedisBackend,
  DelayedError,
  type FlowJob,
  type IQueueBackend,
  UnrecoverableError,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import type { Rule } from '../anomalies/rule-file.ts';
import type { Configuration } from '../schema/configuration/load.ts';
import { PopshareError } from '../schema/errors.ts';
import { failureOf, messageWithoutValues } from '../schema/failure.ts';
import type { RunId } from '../schema/ids.ts';
import { NotYetError } from './department-rate.ts';
import { log } from './log.ts';
import { type NightJob, nightJobSchema } from './night-job.ts';
import { type Step, stepsOf } from './steps.ts';

/** What there is to do in every night. */
export interface NightPlan {
  readonly configuration: Configuration;
  readonly rules: readonly Rule[];
}

/** The jobs of nights, on one of BullMQ's two back ends. */
export interface NightQueue {
  /**
   * Adds the jobs of an open run: the feeds side by side, as far as their departments allow it, then the other steps
   * one after the other, then the close. Safe to repeat: the ledger knows what is done.
   */
  addNight(runId: RunId, businessDate: string, plan: NightPlan): Promise<void>;
  /** Whether the queue has the jobs of a run: it may have lost them, or never had them. */
  hasNight(runId: RunId): Promise<boolean>;
  /** How many jobs there are, by their state. */
  depth(): Promise<Readonly<Record<string, number>>>;
  /** BullMQ's queue itself, for its board; its type depends on the back end. */
  readonly jobs: object;
  /** Begins to take jobs, at most so many at a time. */
  work(take: (job: NightJob) => Promise<void>, jobs: number): Promise<void>;
  /** Takes no further jobs, and waits for those under way. */
  finish(): Promise<void>;
  /** Finishes, and leaves. */
  close(): Promise<void>;
}

const QUEUE = 'night';
/** The schema of the queue's own tables in the warehouse, and the prefix of its keys in Redis. */
const NAMESPACE = { schema: 'queue', prefix: 'popshare' };
/** A producer, and each worker, has a few connections of its own. */
const POSTGRES_CONNECTIONS = 3;
const DEAD_AFTER_MILLISECONDS = 30_000;

/** How often a step is tried, whether it failed or its worker died in it. */
const ATTEMPTS = 5;

const JOB_OPTIONS = {
  attempts: ATTEMPTS,
  backoff: { type: 'exponential', delay: 2_000 },
  // What was done, and what failed for good, stands in the ledger.
  removeOnComplete: true,
  removeOnFail: true,
  // Whatever becomes of a step, the run is closed: the ledger tells the close whether the night is done.
  ignoreDependencyOnFailure: true,
};

/**
 * Connects to the queue: in Redis when `redisUrl` is given, else in tables of the warehouse, which are made when
 * they are not there.
 *
 * @param server.deadAfter milliseconds after which a job is given to another worker when its own shows no life
 * @throws QUEUE_UNREACHABLE
 */
export async function connectQueue(server: {
  databaseUrl: string;
  redisUrl: string | undefined;
  deadAfter?: number;
}): Promise<NightQueue> {
  const { deadAfter = DEAD_AFTER_MILLISECONDS } = server;
  if (server.redisUrl === undefined) {
    const connection = {
      connectionString: server.databaseUrl,
      schema: NAMESPACE.schema,
      migrate: true,
      max: POSTGRES_CONNECTIONS,
    };
    return openQueue(createPostgresBackend, connection, deadAfter, async () => {});
  }
  // Once connected it connects again for ever; the first time it does not, so that a wrong address is told at once.
  const redis = new Redis(server.redisUrl, { lazyConnect: true, maxRetriesPerRequest: null });
  redis.on('error', (error) => log.warn({ err: error }, 'queue connection'));
  const leave = async (): Promise<void> => redis.disconnect();
  await redis.connect().catch((error) => refuse(error, leave));
  return openQueue(createRedisBackend, redis, deadAfter, leave);
}

async function openQueue<Backend extends IQueueBackend, Connection>(
  backend: BackendFactory<Backend, Connection>,
  connection: Connection,
  deadAfter: number,
  leave: () => Promise<void>,
): Promise<NightQueue> {
  const { FlowProducer, Queue, Worker } = withBackend(backend);
  const options = { connection, prefix: NAMESPACE.prefix };
  const producer = new FlowProducer(options);
  producer.on('error', (error) => log.warn({ err: error }, 'queue connection'));
  const jobs = new Queue(QUEUE, options);
  jobs.on('error', (error) => log.warn({ err: error }, 'queue connection'));
  const workers: { close(): Promise<void> }[] = [];
  const finish = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.close()));
  };
  const close = async (): Promise<void> => {
    await finish();
    await producer.close();
    await jobs.close();
    await leave();
  };
  await producer.waitUntilReady().catch((error) => refuse(error, close));
  return {
    async addNight(runId, businessDate, plan) {
      await untilUndisturbed(() => producer.add(flowOf(runId, businessDate, plan)));
    },
    async hasNight(runId) {
      const close = { queueName: QUEUE, id: jobIdOf(runId, CLOSE), depth: 1, maxChildren: 1 };
      return (await producer.getFlow(close)) !== undefined;
    },
    depth: () => jobs.getJobCounts(),
    jobs,
    async work(take, atOnce) {
      const worker = new Worker<unknown, void>(QUEUE, (job, token) => takeSafely(job, token, take), {
        ...options,
        concurrency: atOnce,
        lockDuration: deadAfter,
        stalledInterval: deadAfter,
        maxStalledCount: ATTEMPTS - 1,
      });
      worker.on('error', (error) => log.warn({ err: error }, 'queue worker'));
      worker.on('stalled', (job) => log.warn({ job }, 'the worker of a job has died: another takes it'));
      workers.push(worker);
      await worker.waitUntilReady();
    },
    finish,
    close,
  };
}

const DEADLOCK = '40P01';
/** Each attempt can only be in the way of a job that has just ended. */
const ATTEMPTS_TO_ADD = 10;

/**
 * Adds what may be there already, and be worked on: on Postgres, whoever adds a flow and whoever ends a job of it lock
 * these in another order, and one of them is refused. What was refused has added nothing.
 */
async function untilUndisturbed(add: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await add();
      return;
    } catch (error) {
      if (failureOf(error).sqlstate !== DEADLOCK || attempt === ATTEMPTS_TO_ADD) throw error;
    }
  }
}

async function refuse(error: unknown, leave: () => Promise<void>): Promise<never> {
  await leave();
  const reason = messageWithoutValues(error);
  throw new PopshareError('QUEUE_UNREACHABLE', `the queue does not answer: ${reason}`, { cause: error });
}

type Place = Pick<NightJob, 'name' | 'subject'>;

const CLOSE: Place = { name: 'close', subject: '' };

/** A job's id is its place in the night, so that it is there once. */
const jobIdOf = (runId: RunId, { name, subject }: Place): string => `${runId}-${name}-${subject}`;

/**
 * A flow is a tree whose leaves come first: the close at the root, below it the steps from last to first, each
 * waiting for the one below; below identity the lanes of the feeds, side by side.
 */
function flowOf(runId: RunId, businessDate: string, { configuration, rules }: NightPlan): FlowJob {
  const feeds = configuration.bindings.map(({ feed }) => feed);
  const chain = (places: readonly Place[], first: FlowJob[]): FlowJob[] =>
    places.reduce<FlowJob[]>(
      (children, { name, subject }) => [
        {
          name,
          queueName: QUEUE,
          data: { runId, businessDate, name, subject } satisfies NightJob,
          // Of what may be done at once, feeds go first in the order of the contracts: the registers that others build on.
          opts: {
            ...JOB_OPTIONS,
            jobId: jobIdOf(runId, { name, subject }),
            ...(name === 'ingest' && { priority: feeds.indexOf(subject) + 1 }),
          },
          children,
        },
      ],
      first,
    );
  const steps = stepsOf(feeds, rules).filter(({ name }) => name !== 'ingest');
  const lanes = lanesOf(configuration).flatMap((lane) => chain(lane, []));
  const [flow] = chain([...steps, CLOSE], lanes);
  if (flow === undefined) throw new Error('a night has a close');
  return flow;
}

/**
 * The feeds of a department are dealt to as many lanes as it allows (`departments.<code>.concurrency`); those of a
 * lane come one after the other. Because one run is open at a time, so many of its feeds are worked on at a time.
 */
function lanesOf({ bindings, settings }: Configuration): Step[][] {
  return Object.entries(settings.departments).flatMap(([department, { concurrency }]) => {
    const feeds = bindings.filter(({ contract }) => contract.department === department);
    const lanes = Math.min(concurrency, feeds.length);
    return Array.from({ length: lanes }, (_, lane) =>
      feeds
        .filter((_feed, index) => index % lanes === lane)
        .map(({ feed }): Step => ({ name: 'ingest', subject: feed })),
    );
  });
}

/** What is needed of a job of BullMQ, whatever its back end. */
interface QueuedJob {
  readonly data: unknown;
  moveToDelayed(timestamp: number, token?: string): Promise<void>;
}

/** BullMQ keeps the message of a failure beside the job: it is told without values, as everywhere. */
async function takeSafely(
  queued: QueuedJob,
  token: string | undefined,
  take: (job: NightJob) => Promise<void>,
): Promise<void> {
  const job = nightJobSchema.parse(queued.data);
  try {
    await take(job);
  } catch (error) {
    if (error instanceof NotYetError) {
      await queued.moveToDelayed(Date.now() + error.milliseconds, token);
      // Tells BullMQ that the job is neither done nor failed.
      throw new DelayedError();
    }
    const { runId, name, subject } = job;
    log.warn({ run: runId, step: name, subject, err: error }, 'job failed');
    const message = messageWithoutValues(error);
    // No attempt of a run that has been overtaken can succeed.
    const isStale = error instanceof PopshareError && error.code === 'STALE_WORKER';
    throw isStale ? new UnrecoverableError(message) : new Error(message);
  }
}
