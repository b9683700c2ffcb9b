import {
  type BackendFactory,
  createPostgresBackend,
  createRedisBackend,
  type FlowJob,
  type IQueueBackend,
  UnrecoverableError,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import { PopshareError } from '../schema/errors.ts';
import { messageWithoutValues } from '../schema/failure.ts';
import type { RunId } from '../schema/ids.ts';
import { log } from './log.ts';
import { type NightJob, nightJobSchema } from './night-job.ts';
import type { Step } from './steps.ts';

/** The jobs of nights, on one of BullMQ's two back ends. */
export interface NightQueue {
  /**
   * Adds the jobs of an open run: the feeds side by side, then the other steps one after the other, then the close.
   * Safe to repeat, also after the queue has lost them: the ledger knows what is done.
   */
  addNight(runId: RunId, businessDate: string, steps: readonly Step[]): Promise<void>;
  /** Begins to take jobs, one at a time; call it again for one more at a time. */
  work(take: (job: NightJob) => Promise<void>): Promise<void>;
  /** Takes no further jobs, waits for those under way, and leaves. */
  close(): Promise<void>;
}

const QUEUE = 'night';
/** The schema of the queue's own tables in the warehouse, and the prefix of its keys in Redis. */
const NAMESPACE = { schema: 'queue', prefix: 'popshare' };
/** A producer, and each worker, has a few connections of its own. */
const POSTGRES_CONNECTIONS = 3;

const JOB_OPTIONS = {
  attempts: 5,
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
 * @throws QUEUE_UNREACHABLE
 */
export async function connectQueue(server: {
  databaseUrl: string;
  redisUrl: string | undefined;
}): Promise<NightQueue> {
  if (server.redisUrl === undefined) {
    const connection = {
      connectionString: server.databaseUrl,
      schema: NAMESPACE.schema,
      migrate: true,
      max: POSTGRES_CONNECTIONS,
    };
    return openQueue(createPostgresBackend, connection, async () => {});
  }
  // Once connected it connects again for ever; the first time it does not, so that a wrong address is told at once.
  const redis = new Redis(server.redisUrl, { lazyConnect: true, maxRetriesPerRequest: null });
  redis.on('error', (error) => log.warn({ err: error }, 'queue connection'));
  const leave = async (): Promise<void> => redis.disconnect();
  await redis.connect().catch((error) => refuse(error, leave));
  return openQueue(createRedisBackend, redis, leave);
}

async function openQueue<Backend extends IQueueBackend, Connection>(
  backend: BackendFactory<Backend, Connection>,
  connection: Connection,
  leave: () => Promise<void>,
): Promise<NightQueue> {
  const { FlowProducer, Worker } = withBackend(backend);
  const options = { connection, prefix: NAMESPACE.prefix };
  const producer = new FlowProducer(options);
  producer.on('error', (error) => log.warn({ err: error }, 'queue connection'));
  const workers: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.close()));
    await producer.close();
    await leave();
  };
  await producer.waitUntilReady().catch((error) => refuse(error, close));
  return {
    async addNight(runId, businessDate, steps) {
      await producer.add(flowOf(runId, businessDate, steps));
    },
    async work(take) {
      const worker = new Worker<unknown, void>(QUEUE, ({ data }) => takeSafely(data, take), options);
      worker.on('error', (error) => log.warn({ err: error }, 'queue worker'));
      workers.push(worker);
      await worker.waitUntilReady();
    },
    close,
  };
}

async function refuse(error: unknown, leave: () => Promise<void>): Promise<never> {
  await leave();
  const reason = messageWithoutValues(error);
  throw new PopshareError('QUEUE_UNREACHABLE', `the queue does not answer: ${reason}`, { cause: error });
}

/**
 * A flow is a tree whose leaves come first: the close at the root, below it the steps from last to first, each
 * waiting for the one below, and the feeds as leaves. A job's id is its place in the night, so that it is there once.
 */
function flowOf(runId: RunId, businessDate: string, steps: readonly Step[]): FlowJob {
  const jobOf = ({ name, subject }: Pick<NightJob, 'name' | 'subject'>) => ({
    name,
    queueName: QUEUE,
    data: { runId, businessDate, name, subject } satisfies NightJob,
    opts: { ...JOB_OPTIONS, jobId: `${runId}-${name}-${subject}` },
  });
  const feeds = steps.filter(({ name }) => name === 'ingest');
  const chain = [...steps.filter(({ name }) => name !== 'ingest'), { name: 'close', subject: '' } as const];
  const [flow] = chain.reduce<FlowJob[]>(
    (before, step) => [{ ...jobOf(step), children: before }],
    feeds.map(jobOf),
  );
  if (flow === undefined) throw new Error('a night has a close');
  return flow;
}

/** BullMQ keeps the message of a failure beside the job: it is told without values, as everywhere. */
async function takeSafely(data: unknown, take: (job: NightJob) => Promise<void>): Promise<void> {
  const job = nightJobSchema.parse(data);
  try {
    await take(job);
  } catch (error) {
    const { runId, name, subject } = job;
    log.warn({ run: runId, step: name, subject, err: error }, 'job failed');
    const message = messageWithoutValues(error);
    // No attempt of a run that has been overtaken can succeed.
    const isStale = error instanceof PopshareError && error.code === 'STALE_WORKER';
    throw isStale ? new UnrecoverableError(message) : new Error(message);
  }
}
