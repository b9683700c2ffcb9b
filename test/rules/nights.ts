import { sql } from 'kysely';
import { beforeEach, expect } from 'vitest';
import { findSubjects, prepareFinding } from '../../src/anomalies/find-subjects.ts';
import { loadRules, type Rule } from '../../src/anomalies/rule-file.ts';
import { useCounty } from '../support/drop.ts';

/** What a rule says of a subject. */
type Findings = readonly { subject: string; person_id: number | null; evidence: unknown }[];

/** A county after each night of which the cases of every rule are compared with what it finds when it looks at everything. */
export function useNights() {
  const county = useCounty();
  beforeEach(async () => {
    county.rules = await loadRules('config/rules');
  });

  async function standing({ rule }: Rule): Promise<Findings> {
    return county.query(
      'SELECT subject, person_id, evidence FROM anomalies.anomaly WHERE rule = $1 AND NOT healed ORDER BY subject',
      [rule],
    );
  }

  /** What the rule finds when it looks at everything, as the data stand. */
  async function afresh(rule: Rule, asOf: string): Promise<Findings> {
    const tx = await county.warehouse.db.startTransaction().execute();
    try {
      await prepareFinding(tx, rule, 'everything', asOf);
      await findSubjects(tx, rule, asOf);
      const { rows } = await sql<Findings[number]>`
        SELECT subject, person_id, evidence FROM found ORDER BY subject`.execute(tx);
      return rows;
    } finally {
      await tx.rollback().execute();
    }
  }

  /** A night of all feeds, after which the cases of every rule are what the rule finds when it looks at everything. */
  async function nightAndCompare(date: string): Promise<void> {
    await county.night(date, []);
    for (const rule of county.rules)
      expect({ rule: rule.rule, date, cases: await standing(rule) }).toEqual({
        rule: rule.rule,
        date,
        cases: await afresh(rule, date),
      });
  }

  return { county, nightAndCompare };
}
