import { sql, type Transaction } from 'kysely';
import type { DueDates } from '../../anomalies/queue/due-dates.ts';
import { OPEN_STATUSES } from '../../anomalies/queue/transitions.ts';
import type { Rule } from '../../anomalies/rule-file.ts';
import type { Configuration } from '../../schema/configuration/load.ts';
import type { DB } from '../../schema/database.ts';
import { type LateFeed, lateFeeds, lateFeedText } from '../late-feeds.ts';
import { inShanghai } from '../shanghai.ts';
import { type Notice, raiseNotice } from './outbox.ts';

/** Who gets a digest, of which cases: their own, and the open ones of their divisions and department. */
interface Officer {
  readonly account: string;
  readonly email: string;
  /** What the codes of their divisions begin with; empty is everywhere. */
  readonly prefix: string;
  /** Null is every department. */
  readonly department: string | null;
}

interface Counts {
  readonly open: number;
  readonly overdue: number;
  readonly due_today: number;
}

/** What one officer has before them this morning: counts, rules, divisions, and no case by itself. */
interface Digest {
  readonly own: Counts;
  readonly scope: Counts;
  readonly rules: readonly (Counts & { readonly rule: string })[];
  readonly divisions: readonly (Counts & { readonly division: string; readonly name: string | null })[];
}

/** A digest names so many townships at most, the most pressing first. */
const DIVISIONS = 20;

/** What a digest is made with. */
export interface DigestDesk {
  readonly configuration: Configuration;
  readonly rules: readonly Rule[];
  readonly dueDates: DueDates;
}

/**
 * Puts this morning's digest of each officer into the outbox, once `notices.digest.at` has struck on a working day.
 * An officer without an open case gets none. Safe to repeat.
 */
export async function findDigests(tx: Transaction<DB>, desk: DigestDesk, now: Date): Promise<void> {
  const { configuration, dueDates } = desk;
  const { digest } = configuration.settings.notices;
  const { day, time } = inShanghai(now);
  if (digest === undefined || time < digest.at || !dueDates.isWorkingDay(day)) return;
  const { rows: told } = await sql<{ subject: string }>`
    SELECT subject FROM ops.notice WHERE kind = 'digest' AND payload ->> 'date' = ${day}`.execute(tx);
  const known = new Set(told.map(({ subject }) => subject));
  const officers = (await officersOf(tx)).filter(({ account }) => !known.has(subjectOf(day, account)));
  if (officers.length === 0) return;
  const digests = await digestsOf(tx, officers, day);
  const late = await lateFeeds(tx, configuration, null);
  for (const officer of officers) {
    const found = digests.get(officer.account) ?? NOTHING;
    const isNew = await raiseNotice(
      tx,
      noticeOf(desk, officer, { ...found, late_feeds: ofOfficer(officer, late) }, day),
      now,
    );
    // Kept, so that it is not looked for again today, and goes nowhere.
    if (isNew && found.own.open + found.scope.open === 0)
      await sql`UPDATE ops.notice SET routed_at = ${now} WHERE subject = ${subjectOf(day, officer.account)}`.execute(
        tx,
      );
  }
}

const subjectOf = (day: string, account: string): string => `digest ${day}, ${account}`;

const NO_CASES: Counts = { open: 0, overdue: 0, due_today: 0 };
const NOTHING: Digest = { own: NO_CASES, scope: NO_CASES, rules: [], divisions: [] };

/** An officer of a department is told of its feeds, others of all. */
function ofOfficer({ department }: Officer, late: readonly LateFeed[]): LateFeed[] {
  return late.filter((feed) => department === null || feed.department === department);
}

/** Those who work on cases and have an address. */
async function officersOf(tx: Transaction<DB>): Promise<Officer[]> {
  const { rows } = await sql<Officer>`
    SELECT name AS account, email, coalesce(division, '') AS prefix, department FROM access.account
    WHERE role IN ('officer', 'supervisor') AND email IS NOT NULL AND disabled_at IS NULL ORDER BY name`.execute(
    tx,
  );
  return rows;
}

/** All officers in one statement: the cases are counted once, by what officers differ in. */
async function digestsOf(
  tx: Transaction<DB>,
  officers: readonly Officer[],
  day: string,
): Promise<Map<string, Digest>> {
  // As row-level security has it for the officers' pages.
  const inScope = sql`(starts_with(c.division, o.prefix)
    AND (o.department IS NULL OR o.department IN (c.department, c.returned_to)))`;
  const counts = sql`
    coalesce(sum(cases), 0)::bigint AS open,
    coalesce(sum(cases) FILTER (WHERE due_on < ${day}::date), 0)::bigint AS overdue,
    coalesce(sum(cases) FILTER (WHERE due_on = ${day}::date), 0)::bigint AS due_today`;
  const { rows } = await sql<{ account: string; digest: Digest }>`
    WITH officer AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(officers)}::jsonb)
        AS o (account text, prefix text, department text)),
    cell AS MATERIALIZED (
      SELECT rule, department, returned_to, coalesce(division, '') AS division, owner,
             CASE WHEN due_on <= ${day}::date THEN due_on END AS due_on, count(*) AS cases
      FROM anomalies.anomaly WHERE severity <> 'info' AND status = ANY (${OPEN_STATUSES})
      GROUP BY 1, 2, 3, 4, 5, 6),
    seen AS MATERIALIZED (
      SELECT o.account, c.rule, left(c.division, 9) AS town, c.due_on, c.cases,
             c.owner IS NOT DISTINCT FROM o.account AS own,
             ${inScope} AS scope
      FROM officer o JOIN cell c ON c.owner = o.account
        OR ${inScope}),
    by_rule AS (SELECT account, rule, ${counts} FROM seen GROUP BY account, rule),
    by_town AS (
      SELECT *, row_number() OVER (PARTITION BY account ORDER BY overdue DESC, open DESC, town) AS place
      FROM (SELECT account, town, ${counts} FROM seen WHERE town <> '' GROUP BY account, town) t)
    SELECT o.account, jsonb_build_object(
      'own', (SELECT to_jsonb(c) FROM (SELECT ${counts} FROM seen s WHERE s.account = o.account AND s.own) c),
      'scope', (SELECT to_jsonb(c) FROM (SELECT ${counts} FROM seen s WHERE s.account = o.account AND s.scope) c),
      'rules', coalesce((SELECT jsonb_agg(to_jsonb(r) - 'account' ORDER BY overdue DESC, open DESC, rule)
                         FROM by_rule r WHERE r.account = o.account), '[]'),
      'divisions', coalesce((
        SELECT jsonb_agg(jsonb_build_object('division', d.code, 'name', v.name, 'open', t.open, 'overdue', t.overdue,
                                            'due_today', t.due_today) ORDER BY place)
        FROM by_town t CROSS JOIN LATERAL (SELECT rpad(t.town, 12, '0') AS code) d
        LEFT JOIN reference.division v ON v.code = d.code
        WHERE t.account = o.account AND place <= ${DIVISIONS}), '[]')) AS digest
    FROM officer o`.execute(tx);
  return new Map(rows.map(({ account, digest }) => [account, digest]));
}

function noticeOf(
  { configuration, rules }: DigestDesk,
  officer: Officer,
  digest: Digest & { readonly late_feeds: readonly LateFeed[] },
  day: string,
): Notice {
  const { site } = configuration.settings.notices;
  const titleOf = (code: string): string => rules.find(({ rule }) => rule === code)?.title.zh ?? '';
  const link = (query: Readonly<Record<string, string>>): string | null =>
    site === undefined ? null : `${site.replace(/\/$/, '')}/cases?${new URLSearchParams(query)}`;
  const withLinks = {
    ...digest,
    rules: digest.rules.map((counts) => ({
      ...counts,
      title: titleOf(counts.rule),
      link: link({ rule: counts.rule }),
    })),
    divisions: digest.divisions.map((counts) => ({ ...counts, link: link({ division: counts.division }) })),
  };
  const line = ({ open, overdue, due_today }: Counts): string =>
    `待办 ${open}，逾期 ${overdue}，今日到期 ${due_today}`;
  const own = link({ owner: officer.account });
  const body = [
    `我的疑点：${line(digest.own)}${own === null ? '' : `  ${own}`}`,
    `辖区疑点：${line(digest.scope)}`,
    ...digest.late_feeds.map((late) => `未按时报送：${lateFeedText(late)}`),
    '',
    '按规则',
    ...withLinks.rules.map(
      (counts) =>
        `${counts.rule} ${counts.title}：${line(counts)}${counts.link === null ? '' : `  ${counts.link}`}`,
    ),
    '',
    '按乡镇',
    ...withLinks.divisions.map(
      (counts) =>
        `${counts.name ?? counts.division}：${line(counts)}${counts.link === null ? '' : `  ${counts.link}`}`,
    ),
  ].join('\n');
  return {
    kind: 'digest',
    subject: subjectOf(day, officer.account),
    title: `疑点待办 ${day}：我的 ${digest.own.open}，辖区 ${digest.scope.open}，逾期 ${digest.scope.overdue}`,
    body,
    payload: { date: day, account: officer.account, ...withLinks },
    recipient: officer.email,
  };
}
