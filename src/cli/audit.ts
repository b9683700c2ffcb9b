import type { Command } from 'commander';
import { sql } from 'kysely';
import { anchorFile, readAnchors } from '../jobs/audit-anchor.ts';
import { auditHead, verifyAudit } from '../schema/warehouse/audit.ts';
import { numberArgument, say, sayJson, table } from './output.ts';
import { withSession } from './session.ts';

export function addAuditCommands(program: Command): void {
  const audit = program
    .command('audit')
    .description('who looked, decided, exported, released, and why 审计日志');

  audit
    .command('verify')
    .description(
      'computes the chain of the log again: finds any change, gap or reordering; exit 1 when there is one',
    )
    .option('--anchors <file>', 'heads written down outside the database (default: those of the data folder)')
    .option('--json', 'one JSON object on stdout: {"entries", "anchors", "faults": [...]}')
    .action(async (options: { anchors?: string; json?: boolean }) => {
      await withSession(async ({ warehouse, environment }) => {
        const anchors = await readAnchors(options.anchors ?? anchorFile(environment.dataFolder));
        const faults = await verifyAudit(warehouse, anchors);
        const { entryId } = await auditHead(warehouse);
        if (faults.length > 0) process.exitCode = 1;
        if (options.json) return sayJson({ entries: entryId, anchors: anchors.length, faults });
        say(`${entryId} entries, ${anchors.length} anchors`);
        if (faults.length === 0) return say('nothing changed, nothing missing');
        say(
          table([['entry', 'what is wrong'], ...faults.map((fault) => [String(fault.entryId), fault.kind])]),
        );
      });
    });

  audit
    .command('list')
    .description('the latest entries, newest first')
    .option('--actor <name>', 'only of this actor')
    .option('--subject <subject>', 'only of this subject, such as "person 12"')
    .option('--limit <number>', 'at most so many', '50')
    .option('--json', 'one JSON object on stdout: {"entries": [...]}')
    .action(async (options: { actor?: string; subject?: string; limit: string; json?: boolean }) => {
      await withSession(async ({ warehouse }) => {
        const { rows } = await sql<{
          entry_id: number;
          at: Date;
          actor: string;
          action: string;
          subject: string | null;
          purpose: string | null;
          detail: unknown;
        }>`
          SELECT entry_id, at, actor, action, subject, purpose, detail FROM audit.entry
          WHERE (${options.actor ?? null}::text IS NULL OR actor = ${options.actor ?? null})
            AND (${options.subject ?? null}::text IS NULL OR subject = ${options.subject ?? null})
          ORDER BY entry_id DESC LIMIT ${numberArgument(options.limit)}`.execute(warehouse.db);
        if (options.json) return sayJson({ entries: rows });
        if (rows.length === 0) return say('no entries');
        const lines = rows.map((row) => [
          String(row.entry_id),
          row.at.toISOString(),
          row.actor,
          row.action,
          row.subject ?? '',
          row.purpose ?? '',
        ]);
        say(table([['entry', 'at', 'actor', 'action', 'subject', 'purpose'], ...lines]));
      });
    });
}
