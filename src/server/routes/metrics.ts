import { sql } from 'kysely';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Server, ServerContext } from '../context.ts';

/** Seconds; the targets of docs/benchmarks.md lie between them. */
const BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** `/metrics` for Prometheus: counts and times, nothing of a person. */
export function addMetricsRoute(server: Server, context: ServerContext): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  measureRequests(server, registry);
  measureLedger(registry, context);
  measureQueues(registry, context);
  server.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: {
        tags: ['service'],
        summary: 'Runs, deliveries, lag, queue depth, cases, latencies (Prometheus)',
      },
    },
    async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  );
}

function measureRequests(server: Server, registry: Registry): void {
  const latency = new Histogram({
    name: 'popshare_http_request_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [registry],
  });
  server.addHook('onResponse', async (request, reply) => {
    const { url: route = 'unknown' } = request.routeOptions;
    latency.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
}

/** A value of a gauge, and the labels that it has. */
interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge whose values are read when somebody asks. */
function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  read: () => Promise<readonly Reading[]>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    async collect() {
      const readings = await read();
      this.reset();
      for (const { labels, value } of readings) this.set(labels, value);
    },
  });
}

function measureLedger(registry: Registry, { engine }: ServerContext): void {
  gauge(registry, 'popshare_runs', 'Runs in the ledger', ['status'], async () => {
    const { rows } = await sql<Reading>`
      SELECT jsonb_build_object('status', status) AS labels, count(*) AS value FROM ops.run GROUP BY status`.execute(
      engine.db,
    );
    return rows;
  });
  gauge(
    registry,
    'popshare_night_lag_days',
    'Days since the latest business date that is done',
    [],
    async () => {
      const { rows } = await sql<Reading>`
      SELECT '{}'::jsonb AS labels, (now() AT TIME ZONE 'Asia/Shanghai')::date - max(business_date) AS value FROM ops.run
      WHERE status = 'done' AND purpose IN ('nightly', 'backfill') HAVING count(*) > 0`.execute(engine.db);
      return rows;
    },
  );
  gauge(registry, 'popshare_night_seconds', 'How long the latest done night took', [], async () => {
    const { rows } = await sql<Reading>`
      SELECT '{}'::jsonb AS labels, extract(epoch FROM finished_at - started_at)::double precision AS value FROM ops.run
      WHERE status = 'done' AND purpose IN ('nightly', 'backfill') ORDER BY run_id DESC LIMIT 1`.execute(
      engine.db,
    );
    return rows;
  });
  gauge(
    registry,
    'popshare_deliveries',
    'Deliveries of the latest business date, and all that wait for a decision',
    ['feed', 'status'],
    async () => {
      const { rows } = await sql<Reading>`
        SELECT jsonb_build_object('feed', feed, 'status', status) AS labels, count(*) AS value FROM ops.delivery
        WHERE status IN ('held', 'failed') OR business_date = (SELECT max(business_date) FROM ops.delivery)
        GROUP BY feed, status`.execute(engine.db);
      return rows;
    },
  );
  gauge(registry, 'popshare_open_cases', 'Open cases', ['rule', 'severity'], async () => {
    const { rows } = await sql<Reading>`
      SELECT jsonb_build_object('rule', rule, 'severity', severity) AS labels, sum(cases)::bigint AS value FROM anomalies.tally
      WHERE status IN ('new', 'assigned', 'returned') GROUP BY rule, severity`.execute(engine.db);
    return rows;
  });
  gauge(registry, 'popshare_open_reviews', 'Open reviews', [], async () => {
    const { rows } = await sql<Reading>`
      SELECT '{}'::jsonb AS labels, count(*) AS value FROM identity.review WHERE status = 'open'`.execute(
      engine.db,
    );
    return rows;
  });
}

function measureQueues(registry: Registry, { queue }: ServerContext): void {
  gauge(registry, 'popshare_queue_jobs', 'Jobs of nights in the queue', ['state'], async () =>
    Object.entries(await queue.depth()).map(([state, value]) => ({ labels: { state }, value })),
  );
}
