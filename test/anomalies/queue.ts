import { beforeEach } from 'vitest';
import { detect, type RuleSummary } from '../../src/anomalies/detect.ts';
import { type ActionRequest, actOnCase } from '../../src/anomalies/queue/actions.ts';
import { type DueDates, loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { type CaseFilter, readFilter } from '../../src/anomalies/queue/filter.ts';
import { type CasePage, listCases, type PageRequest } from '../../src/anomalies/queue/list.ts';
import { readCase } from '../../src/anomalies/queue/show.ts';
import { type Action, type Actor, TRANSITIONS } from '../../src/anomalies/queue/transitions.ts';
import { parseRule, type Rule } from '../../src/anomalies/rule-file.ts';
import { toRunId } from '../../src/schema/ids.ts';
import { useCounty } from '../support/drop.ts';

/** What the rules of these tests find. */
export interface Finding {
  readonly subject: string;
  readonly feed?: string;
  readonly source_key?: string;
  readonly role?: string;
  readonly person_id?: number;
  readonly division?: string;
  readonly evidence?: Readonly<Record<string, unknown>>;
}

export const LI: Actor = { name: 'li', role: 'officer' };
export const CHEN: Actor = { name: 'chen', role: 'supervisor' };
export const TODAY = '2026-11-18';

/** A rule that finds what stands in the table `finding` under its code. */
export function rule(code: string, severity = 'high', owner = 'source', more = ''): Rule {
  return parseRule(
    `/*
rule: ${code}
title: { zh: 测试, en: Test }
severity: ${severity}
owner: ${owner}
evaluates: everything
definition: 测试
resolved_by: 测试
*/
SELECT subject, feed, source_key, role, person_id, division, evidence FROM public.finding WHERE rule = '${code}' ${more}`,
    `${code}-test.sql`,
  );
}

/** A queue whose nights find what the test says. */
export function useQueue() {
  const county = useCounty();
  let runs = 0;
  let dueDates: DueDates | undefined;

  beforeEach(async () => {
    await county.query(`
      CREATE TABLE IF NOT EXISTS public.finding (rule text, subject text, feed text, source_key text, role text,
        person_id bigint, division text, evidence jsonb)`);
    dueDates = await loadDueDates(county.configuration);
  });

  /** The next run holds the fence. */
  async function nextRun() {
    runs += 1;
    await county.query('UPDATE ops.fence SET run_id = $1', [runs]);
    return toRunId(runs);
  }

  /** What the rule finds from now on. */
  async function finds(code: string, findings: readonly Finding[]): Promise<void> {
    await county.query('DELETE FROM public.finding WHERE rule = $1', [code]);
    await county.query(
      `INSERT INTO public.finding
       SELECT $1, f.subject, f.feed, f.source_key, f.role, f.person_id, f.division, coalesce(f.evidence, '{}')
       FROM jsonb_to_recordset($2::jsonb) AS f (subject text, feed text, source_key text, role text, person_id bigint,
         division text, evidence jsonb)`,
      [code, JSON.stringify(findings)],
    );
  }

  /** A night in which a rule finds these. */
  async function night(date: string, findings: readonly Finding[], of = rule('DQ01')): Promise<RuleSummary> {
    await finds(of.rule, findings);
    return detect(
      { warehouse: county.warehouse, runId: await nextRun(), asOf: date, dueDates: givenDueDates() },
      of,
    );
  }

  function givenDueDates(): DueDates {
    if (dueDates === undefined) throw new Error('the calendar is read before each test');
    return dueDates;
  }

  /** An action with all that it asks for, unless the test says otherwise. */
  function request(action: Action, more: Partial<ActionRequest> = {}): ActionRequest {
    const reason = TRANSITIONS.find((transition) => transition.action === action)?.reasons[0]?.code ?? '';
    const base = { action, actor: CHEN, reason, comment: '测试', today: TODAY, dueDates: givenDueDates() };
    return { ...base, owner: 'li', department: 'public-security', ...more };
  }

  /** Does something to the case as it now is. */
  async function act(caseId: number, action: Action, more: Partial<ActionRequest> = {}): Promise<number> {
    const { version } = await one(caseId);
    return actOnCase(county.warehouse, caseId, version, request(action, more));
  }

  async function one(caseId: number) {
    return (await readCase(county.warehouse.db, caseId)).case;
  }

  async function idOf(subject: string, code = 'DQ01'): Promise<number> {
    const [found] = await county.query<{ anomaly_id: number }>(
      'SELECT anomaly_id FROM anomalies.anomaly WHERE rule = $1 AND subject = $2',
      [code, subject],
    );
    return found?.anomaly_id ?? 0;
  }

  async function page(filter: CaseFilter = {}, more: Partial<PageRequest> = {}): Promise<CasePage> {
    const base = { order: 'priority', limit: 50, after: null, today: TODAY, groupAbove: 3 } as const;
    return listCases(county.warehouse, { ...base, filter: readFilter(filter), ...more });
  }

  /** All pages, one after the other. */
  async function pages(filter: CaseFilter = {}, more: Partial<PageRequest> = {}): Promise<number[]> {
    const ids: number[] = [];
    for (let after: string | null | undefined = null; after !== undefined; ) {
      const { cases, next }: CasePage = await page(filter, { ...more, after });
      ids.push(...cases.map(({ anomaly_id }) => anomaly_id));
      after = next ?? undefined;
    }
    return ids;
  }

  /** What the audit log says of a subject, oldest first. */
  async function audited(subject: string) {
    return county.query(
      'SELECT actor, action, purpose, detail FROM audit.entry WHERE subject = $1 ORDER BY entry_id',
      [subject],
    );
  }

  /** The kinds of a case's events, oldest first. */
  async function story(caseId: number): Promise<string[]> {
    return (await readCase(county.warehouse.db, caseId)).events.map(({ kind }) => kind);
  }

  return {
    county,
    finds,
    nextRun,
    night,
    request,
    act,
    one,
    idOf,
    page,
    pages,
    story,
    audited,
    dueDates: givenDueDates,
  };
}
