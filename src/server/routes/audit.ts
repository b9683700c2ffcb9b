import { sql } from 'kysely';
import { z } from 'zod';
import { anchorFile, readAnchors } from '../../jobs/audit-anchor.ts';
import { auditHead, verifyAudit } from '../../schema/warehouse/audit.ts';
import type { Server, ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { idPageQuery, moment, pageAfterId, pageOf } from '../schemas.ts';

const entry = z
  .object({
    entry_id: z.int(),
    at: moment,
    actor: z.string(),
    action: z.string(),
    subject: z.string().nullable(),
    purpose: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });

/**
 * `/api/audit`: the log, for the auditor. It is read by the engine: the server's own roles have no right on the log
 * but to add to it.
 */
export function addAuditRoutes(server: Server, context: ServerContext): void {
  server.get(
    '/api/audit',
    {
      config: { access: 'audit log' },
      schema: {
        tags: ['audit'],
        summary: 'The entries of the audit log, newest first',
        querystring: idPageQuery.extend({
          actor: z.string().optional(),
          subject: z.string().optional(),
          action: z.string().optional(),
          from: z.iso.date().optional(),
          to: z.iso.date().optional(),
        }),
        response: { 200: pageOf(entry), ...PROBLEMS },
      },
    },
    async ({ query }) => {
      const { after, limit, actor, subject, action, from, to } = query;
      const { rows } = await sql<z.output<typeof entry>>`
        SELECT entry_id, at, actor, action, subject, purpose, detail FROM audit.entry
        WHERE (${after ?? null}::bigint IS NULL OR entry_id < ${after ?? null}::bigint)
          AND (${actor ?? null}::text IS NULL OR actor = ${actor ?? null})
          AND (${subject ?? null}::text IS NULL OR subject = ${subject ?? null})
          AND (${action ?? null}::text IS NULL OR action = ${action ?? null})
          AND (${from ?? null}::date IS NULL OR at >= ${from ?? null}::date::timestamp AT TIME ZONE 'Asia/Shanghai')
          AND (${to ?? null}::date IS NULL OR at < (${to ?? null}::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')
        ORDER BY entry_id DESC LIMIT ${limit + 1}`.execute(context.engine.db);
      return pageAfterId(rows, limit, ({ entry_id }) => entry_id);
    },
  );

  server.get(
    '/api/audit/verification',
    {
      config: { access: 'audit log' },
      schema: {
        tags: ['audit'],
        summary: 'Computes the whole chain again, against the anchors kept outside the database',
        response: {
          200: z.object({
            entries: z.int(),
            anchors: z.int(),
            faults: z.array(z.object({ entryId: z.int(), kind: z.string() })),
          }),
          ...PROBLEMS,
        },
      },
    },
    async () => {
      const anchors = await readAnchors(anchorFile(context.environment.dataFolder));
      const faults = await verifyAudit(context.engine, anchors);
      const { entryId } = await auditHead(context.engine);
      return { entries: entryId, anchors: anchors.length, faults };
    },
  );
}
