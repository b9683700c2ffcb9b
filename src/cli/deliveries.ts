import { type Command, Option } from 'commander';
import { sql } from 'kysely';
import { type Decision, decideDelivery } from '../ingest/decide.ts';
import type { NightlyReport } from '../jobs/nightly.ts';
import { PopshareError } from '../schema/errors.ts';
import { toDeliveryId } from '../schema/ids.ts';
import { finish, runDate } from './nightly.ts';
import { dateArgument, numberArgument, plain, say, sayJson, table } from './output.ts';
import { type Session, withSession } from './session.ts';

const STATUSES = ['landed', 'applied', 'unchanged', 'held', 'missing', 'refused', 'failed'];
const DECISIONS: readonly { name: Decision; does: string }[] = [
  { name: 'release', does: 'apply a held delivery after all 放行' },
  { name: 'refuse', does: 'refuse a held or failed delivery; yesterday’s data stand 拒收' },
  { name: 'replay', does: 'read a delivery again from its landed bytes 重放' },
];

export function addDeliveryCommands(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .description('look at deliveries and decide upon held ones 批次');

  deliveries
    .command('list')
    .description('the deliveries, newest first')
    .option('--date <date>', 'of one business date')
    .addOption(new Option('--status <status>', 'only this status').choices(STATUSES))
    .option('--json', 'one JSON object on stdout: {"deliveries": [...]}')
    .action(async (options: { date?: string; status?: string; json?: boolean }) => {
      const date = options.date === undefined ? null : dateArgument(options.date);
      await withSession(async ({ warehouse }) => {
        const { rows } = await sql<Record<string, string | number | null>>`
          SELECT delivery_id, business_date, department, feed, status, received, rejected, reason FROM reporting.delivery
          WHERE (${date}::date IS NULL OR business_date = ${date}::date)
            AND (${options.status ?? null}::text IS NULL OR status = ${options.status ?? null})
          ORDER BY business_date DESC, delivery_id DESC LIMIT 500`.execute(warehouse.db);
        if (options.json) return sayJson({ deliveries: rows });
        if (rows.length === 0) return say('no deliveries');
        const heading = [
          'delivery',
          'date',
          'department',
          'feed',
          'status',
          'received',
          'rejected',
          'reason',
        ];
        say(table([heading, ...rows.map((row) => Object.values(row).map((value) => String(value ?? '')))]));
      });
    });

  deliveries
    .command('show')
    .argument('<id>')
    .description('one delivery: counts, findings of the gates, decisions')
    .option('--json', 'one JSON object on stdout')
    .action(async (id: string, options: { json?: boolean }) => {
      const deliveryId = numberArgument(id);
      await withSession(async ({ warehouse }) => {
        const { rows } = await sql<{
          delivery: Record<string, unknown>;
          findings: unknown[];
          decisions: unknown[];
        }>`
          SELECT to_jsonb(d) AS delivery,
                 coalesce((SELECT jsonb_agg(to_jsonb(f) ORDER BY rule) FROM ops.gate_finding f
                           WHERE f.delivery_id = d.delivery_id), '[]') AS findings,
                 coalesce((SELECT jsonb_agg(to_jsonb(c) ORDER BY decision_id) FROM ops.delivery_decision c
                           WHERE c.delivery_id = d.delivery_id), '[]') AS decisions
          FROM ops.delivery d WHERE delivery_id = ${deliveryId}`.execute(warehouse.db);
        const found = rows[0];
        if (found === undefined)
          throw new PopshareError('DELIVERY_UNKNOWN', `there is no delivery ${deliveryId}`);
        if (options.json) return sayJson(found);
        say(table(Object.entries(found.delivery).map(([name, value]) => [name, plain(value)])));
        for (const finding of found.findings) say(`finding  ${plain(finding)}`);
        for (const decision of found.decisions) say(`decision ${plain(decision)}`);
      });
    });

  for (const { name, does } of DECISIONS) {
    deliveries
      .command(name)
      .argument('<id>')
      .description(does)
      .requiredOption('--reason <reason>', 'why; kept with your name')
      .option('--json', 'one JSON object on stdout')
      .action(async (id: string, options: { reason: string; json?: boolean }) => {
        const deliveryId = toDeliveryId(numberArgument(id));
        await withSession(async (session) => {
          const { businessDate } = await decideDelivery(session.warehouse, {
            deliveryId,
            decision: name,
            reason: options.reason,
            decidedBy: session.user,
          });
          const report = await runNowOrLater(session, businessDate, name);
          if (report !== null) return finish(report, options);
          if (options.json) sayJson({ delivery_id: deliveryId, decision: name, taken_up: 'by the next run' });
          else say(`decided; another run is at work, and the next one takes delivery ${deliveryId} up`);
        });
      });
  }
}

/** @returns null when another run is at work: the decision stands, and the run after that one takes it up */
async function runNowOrLater(
  session: Session,
  businessDate: string,
  decision: Decision,
): Promise<NightlyReport | null> {
  try {
    return await runDate(session, businessDate, decision, { collect: false });
  } catch (error) {
    if (error instanceof PopshareError && error.code === 'RUN_IN_PROGRESS') return null;
    throw error;
  }
}
