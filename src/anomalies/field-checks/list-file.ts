import { sql } from 'kysely';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import type { Rule } from '../rule-file.ts';
import { MARK, workbookOf } from '../sheet.ts';
import { GUIDE, HEADINGS } from './words.ts';

interface OpenCheck {
  readonly check_id: number;
  readonly rule: string;
  readonly name: string | null;
  readonly address: string | null;
  readonly question: string;
  readonly due_on: string;
}

/**
 * A village's open field checks as a workbook to print and to fill in: whom to look for and where, and nothing else
 * about them. That it was made is an entry of the audit log.
 *
 * @param taken `mark`: who takes it out, when and why, on every row and on the second sheet; `why`: for the log
 * @returns null when the village has nothing to check
 */
export async function fieldCheckFile(
  warehouse: Queryable,
  village: string,
  by: string,
  rules: readonly Rule[],
  taken?: { readonly mark: string; readonly why: string },
): Promise<{ readonly name: string; readonly bytes: Buffer; readonly checks: number } | null> {
  const { rows } = await sql<OpenCheck>`
    SELECT f.check_id, a.rule, m.name, m.address, f.question, f.due_on
    FROM anomalies.field_check f JOIN anomalies.anomaly a USING (anomaly_id)
    LEFT JOIN LATERAL (
      SELECT name_given AS name, address FROM identity.mention m
      WHERE m.feed = a.feed AND m.source_key = a.source_key AND (a.role IS NULL OR m.role = a.role)
      ORDER BY m.active DESC, m.role LIMIT 1) m ON true
    WHERE f.village = ${village} AND f.answer IS NULL
    ORDER BY f.due_on, f.check_id`.execute(warehouse.db);
  if (rows.length === 0) return null;
  const mark = taken === undefined ? [] : [taken.mark];
  await recordAct(warehouse.db, {
    actor: by,
    action: 'export',
    subject: `field checks of ${village}`,
    purpose: taken?.why,
    detail: { checks: rows.map(({ check_id }) => check_id) },
  });
  const bytes = await workbookOf({
    name: '现场核查单',
    guide: [...GUIDE, ...mark],
    columns: [
      { heading: HEADINGS.check, width: 10 },
      { heading: '姓名', width: 12 },
      { heading: '地址', width: 40 },
      { heading: '疑点', width: 28 },
      { heading: '要核实的问题', width: 40 },
      { heading: '期限', width: 12 },
      { heading: HEADINGS.answer, width: 20, toFill: true },
      { heading: HEADINGS.note, width: 32, toFill: true },
      { heading: HEADINGS.by, width: 12, toFill: true },
      ...mark.map(() => ({ heading: MARK, width: 40 })),
    ],
    rows: rows.map((check) => [
      String(check.check_id),
      check.name ?? '',
      check.address ?? '',
      rules.find(({ rule }) => rule === check.rule)?.title.zh ?? check.rule,
      check.question,
      check.due_on,
      '',
      '',
      '',
      ...mark,
    ]),
  });
  return { name: `现场核查_${village}.xlsx`, bytes, checks: rows.length };
}
