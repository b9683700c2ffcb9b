import { sql } from 'kysely';
import type { Configuration } from '../../schema/configuration/load.ts';
import { CONTRACTS } from '../../schema/contracts/index.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { describeEvidence } from '../evidence-text.ts';
import type { Rule } from '../rule-file.ts';
import type { Sheet } from '../sheet.ts';
import type { Severity } from './due-dates.ts';
import { type CaseFilter, caseConditions } from './filter.ts';
import { groupKeys } from './groups.ts';
import { PRIORITY } from './order.ts';
import type { Status } from './transitions.ts';
import { SEVERITY_WORDS, STATUS_WORDS } from './words.ts';

/** A table is for reading, and is made in memory: whoever needs more narrows the filter. */
export const MOST_EXPORTED = 5_000;

interface ExportedCase {
  readonly anomaly_id: number;
  readonly rule: string;
  readonly severity: Severity;
  readonly status: Status;
  readonly department: string;
  readonly division: string | null;
  readonly feed: string | null;
  readonly source_key: string | null;
  readonly owner: string | null;
  readonly opened_on: string;
  readonly due_on: string;
  readonly evidence: Record<string, unknown>;
}

/**
 * The cases that a filter lets through as a table, the most urgent first. Evidence is as its rule masked it.
 *
 * @throws CASE_INPUT when there are more than {@link MOST_EXPORTED}
 */
export async function exportCases(
  warehouse: Queryable,
  filter: CaseFilter,
  {
    configuration,
    rules,
    watermark,
  }: { configuration: Configuration; rules: readonly Rule[]; watermark: string },
): Promise<Sheet> {
  const { departments, queue } = configuration.settings;
  const groups = filter.outside_groups ? await groupKeys(warehouse.db, queue.group_above) : [];
  const { rows } = await sql<ExportedCase>`
    SELECT anomaly_id, rule, severity, status, department, division, feed, source_key, owner, opened_on, due_on, evidence
    FROM anomalies.anomaly a WHERE ${caseConditions(filter, sql`a`, groups)}
    ORDER BY ${PRIORITY}, due_on, anomaly_id LIMIT ${MOST_EXPORTED + 1}`.execute(warehouse.db);
  if (rows.length > MOST_EXPORTED)
    throw new PopshareError('CASE_INPUT', `an export has at most ${MOST_EXPORTED} cases: narrow the filter`);
  const titles = new Map(rules.map(({ rule, title }) => [rule, title.zh]));
  return {
    name: '疑点清单',
    watermark,
    guide: [watermark],
    columns: [
      { heading: '编号', width: 10 },
      { heading: '疑点', width: 28 },
      { heading: '级别', width: 8 },
      { heading: '状态', width: 10 },
      { heading: '责任部门', width: 18 },
      { heading: '区划代码', width: 14 },
      { heading: '报送项', width: 22 },
      { heading: '记录', width: 22 },
      { heading: '办理人', width: 12 },
      { heading: '发现日期', width: 12 },
      { heading: '期限', width: 12 },
      { heading: '依据', width: 60 },
    ],
    rows: rows.map((found) => [
      String(found.anomaly_id),
      `${found.rule} ${titles.get(found.rule) ?? ''}`,
      SEVERITY_WORDS[found.severity],
      STATUS_WORDS[found.status],
      departments[found.department]?.zh ?? (found.department === 'operator' ? '操作员' : found.department),
      found.division ?? '',
      CONTRACTS.find(({ feed }) => feed === found.feed)?.title.zh ?? '',
      found.source_key ?? '',
      found.owner ?? '',
      found.opened_on,
      found.due_on,
      describeEvidence(found.evidence, found.feed),
    ]),
  };
}
