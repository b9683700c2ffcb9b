import { sql } from 'kysely';
import { z } from 'zod';
import { requireMigrated } from '../../schema/warehouse/migrate.ts';
import type { Server, ServerContext } from '../context.ts';

const answer = z.object({ status: z.enum(['ok', 'unready']), lacks: z.array(z.string()) });

/** Whether the process lives, and whether it can do its work: for whatever restarts it or sends requests to it. */
export function addHealthRoutes(server: Server, { engine, queue }: ServerContext): void {
  server.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: { tags: ['service'], summary: 'Whether the process answers', response: { 200: answer } },
    },
    async () => ({ status: 'ok' as const, lacks: [] }),
  );

  server.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        tags: ['service'],
        summary: 'Whether warehouse and queue answer, and the warehouse is of this version',
        response: { 200: answer, 503: answer },
      },
    },
    async (_request, reply) => {
      const parts: [string, Promise<unknown>][] = [
        ['warehouse', sql`SELECT 1`.execute(engine.db)],
        ['migrations', requireMigrated(engine)],
        ['queue', queue.depth()],
      ];
      const outcomes = await Promise.allSettled(parts.map(([, asked]) => asked));
      const lacks = parts.flatMap(([name], at) => (outcomes[at]?.status === 'rejected' ? [name] : []));
      if (lacks.length > 0) return reply.code(503).send({ status: 'unready', lacks });
      return { status: 'ok' as const, lacks };
    },
  );
}
