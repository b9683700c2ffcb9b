import { sql } from 'kysely';
import type { Binding } from '../../schema/configuration/binding.ts';
import { CONTRACTS } from '../../schema/contracts/index.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { describeEvidence } from '../evidence-text.ts';
import type { Rule } from '../rule-file.ts';
import { csvOf, MARK, type Sheet, workbookOf } from '../sheet.ts';
import { IS_ASKED, IS_WITHDRAWN, withdrawnBefore } from './withdrawn.ts';
import { GUIDE, HEADINGS, STATES } from './words.ts';

/** One file of a list, ready to be written. */
export interface ListFile {
  readonly name: string;
  readonly bytes: Buffer;
}

interface ListedCase {
  readonly line: number;
  readonly rule: string;
  /** Null when the case speaks of no record. */
  readonly feed: string | null;
  readonly source_key: string | null;
  readonly due_on: string;
  readonly state: 'asked' | 'withdrawn' | 'settled';
  readonly evidence: Record<string, unknown>;
  readonly record: Record<string, unknown> | null;
}

/**
 * The files of an issued list: for each feed a workbook and the same as CSV, with the department's own columns as it
 * named them and its record as it now stands. Of other departments' data there is what the evidence of the case says,
 * masked: also where a case about another department's record was returned to this one.
 *
 * @param mark who takes it out, when and why: on every row and on the second sheet
 * @throws CORRECTION_UNKNOWN
 */
export async function correctionFiles(
  warehouse: Queryable,
  number: string,
  bindings: readonly Binding[],
  rules: readonly Rule[],
  mark?: string,
): Promise<ListFile[]> {
  const department = await departmentOf(warehouse, number);
  const cases = await listedCases(warehouse, number, department);
  const withdrawn = await withdrawnBefore(warehouse, number);
  const guide = [...GUIDE, ...[withdrawn, mark].filter((line) => line !== null && line !== undefined)];
  const files: ListFile[] = [];
  for (const [feed, ofFeed] of Map.groupBy(cases, (listed) => listed.feed)) {
    const binding = bindings.find(
      (candidate) => candidate.feed === feed && candidate.contract.department === department,
    );
    const sheet = sheetOf(number, ofFeed, binding, rules, { guide, mark });
    const name = `${number}_${feed ?? 'no_record'}`;
    files.push({ name: `${name}.xlsx`, bytes: await workbookOf(sheet) });
    files.push({ name: `${name}.csv`, bytes: csvOf(sheet) });
  }
  return files;
}

/** @throws CORRECTION_UNKNOWN */
async function departmentOf(warehouse: Queryable, number: string): Promise<string> {
  const { rows } = await sql<{ department: string }>`
    SELECT department FROM anomalies.correction WHERE number = ${number}`.execute(warehouse.db);
  if (rows[0] === undefined) throw new PopshareError('CORRECTION_UNKNOWN', `there is no list ${number}`);
  return rows[0].department;
}

async function listedCases(warehouse: Queryable, number: string, department: string): Promise<ListedCase[]> {
  const { rows: feeds } = await sql<{ feed: string | null }>`
    SELECT DISTINCT a.feed FROM anomalies.correction c JOIN anomalies.correction_line USING (correction_id)
    JOIN anomalies.anomaly a USING (anomaly_id) WHERE c.number = ${number}`.execute(warehouse.db);
  const cases: ListedCase[] = [];
  for (const { feed } of feeds) {
    const isOwn = CONTRACTS.some((contract) => contract.feed === feed && contract.department === department);
    const record = isOwn
      ? sql`LEFT JOIN ${sql.id('registry', feed ?? '')} r ON r.source_key = a.source_key`
      : sql``;
    const { rows } = await sql<ListedCase>`
      SELECT l.line, a.rule, a.feed, a.source_key, l.due_on, a.evidence,
             CASE WHEN ${IS_WITHDRAWN} THEN 'withdrawn' WHEN ${IS_ASKED} THEN 'asked' ELSE 'settled' END AS state,
             ${isOwn ? sql`to_jsonb(r)` : sql`NULL::jsonb`} AS record
      FROM anomalies.correction c JOIN anomalies.correction_line l USING (correction_id)
      JOIN anomalies.anomaly a USING (anomaly_id)
      ${record}
      WHERE c.number = ${number} AND a.feed IS NOT DISTINCT FROM ${feed} ORDER BY l.line`.execute(
      warehouse.db,
    );
    cases.push(...rows);
  }
  return cases;
}

function sheetOf(
  number: string,
  cases: readonly ListedCase[],
  binding: Binding | undefined,
  rules: readonly Rule[],
  { guide, mark }: { readonly guide: readonly string[]; readonly mark: string | undefined },
): Sheet {
  const columns = Object.entries(binding?.columns ?? {});
  return {
    name: binding?.contract.title.zh ?? '校核单',
    guide,
    columns: [
      { heading: HEADINGS.number, width: 24 },
      { heading: HEADINGS.line, width: 6 },
      { heading: '问题', width: 24 },
      { heading: '依据', width: 48 },
      { heading: '期限', width: 12 },
      { heading: '办理状态', width: 10 },
      ...columns.map(([, source]) => ({ heading: source, width: 16 })),
      { heading: HEADINGS.reply, width: 18, toFill: true },
      { heading: HEADINGS.note, width: 32, toFill: true },
      ...(mark === undefined ? [] : [{ heading: MARK, width: 40 }]),
    ],
    rows: cases.map((listed) => {
      const rule = rules.find((candidate) => candidate.rule === listed.rule);
      return [
        number,
        String(listed.line),
        `${listed.rule} ${rule?.title.zh ?? ''}`,
        describeEvidence(listed.evidence, listed.feed),
        listed.due_on,
        STATES[listed.state],
        ...columns.map(([field]) => text(listed.record?.[field], binding?.contract.fields[field]?.kind)),
        '',
        '',
        ...(mark === undefined ? [] : [mark]),
      ];
    }),
  };
}

/** A month stands in the registry as its first day; the department wrote YYYYMM. */
function text(value: unknown, kind: string | undefined): string {
  const plain = value === null || value === undefined ? '' : String(value);
  return kind === 'month' ? plain.slice(0, 7).replace('-', '') : plain;
}
