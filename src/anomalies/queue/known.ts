import { sql } from 'kysely';
import { CONTRACTS } from '../../schema/contracts/index.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import type { Rule } from '../rule-file.ts';
import { requireDivision } from './divisions.ts';
import type { CaseFilter } from './filter.ts';
import type { NewSuppression } from './suppression.ts';

/** Who sends data, and can mend it. */
export const SENDING_DEPARTMENTS: readonly string[] = [
  ...new Set(CONTRACTS.map(({ department }) => department)),
].sort();

/** What of a filter names something that there is, or is not. */
type Named = Partial<
  Pick<CaseFilter, 'rule' | 'family' | 'feed' | 'department' | 'desk' | 'division' | 'group'>
>;

/**
 * Whether there is everything that a filter names: a slip of the pen would find no case, and look like good news.
 *
 * @throws CASE_INPUT naming what there is
 */
export async function requireKnown(
  warehouse: Queryable,
  { rule, family, feed, department, desk, division, group }: Named,
  rules: readonly Rule[],
): Promise<void> {
  const grouped = partsOf(group);
  const codes = [...(rule ?? []), ...grouped.rule];
  if (codes.some((code) => !rules.some((known) => known.rule === code)))
    requireAmong('rule', codes, await allRules(warehouse, rules));
  requireAmong('family', family ?? [], [...new Set(rules.map((known) => known.rule.slice(0, 2)))]);
  requireAmong(
    'feed',
    [...(feed ?? []), ...grouped.feed],
    CONTRACTS.map((contract) => contract.feed),
  );
  requireAmong('department', [...(department ?? []), ...(desk === undefined ? [] : [desk])], owners(rules));
  if (division !== undefined) await requireDivision(warehouse, division);
}

/**
 * Whether there are the feed and the division that a suppression covers.
 *
 * @throws CASE_INPUT naming what there is
 */
export async function requireKnownPlace(
  warehouse: Queryable,
  covers: NewSuppression['covers'],
  rules: readonly Rule[],
): Promise<void> {
  const feed = 'feed' in covers ? [covers.feed] : [];
  const division = 'division' in covers ? covers.division : undefined;
  await requireKnown(warehouse, { feed, division }, rules);
}

/**
 * Whether a department sends data.
 *
 * @throws CASE_INPUT naming those that do
 */
export function requireDepartment(department: string): void {
  requireAmong('department that sends data', [department], SENDING_DEPARTMENTS);
}

/** @throws CASE_INPUT */
function requireAmong(what: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.find((one) => !known.includes(one));
  if (unknown !== undefined)
    throw new PopshareError('CASE_INPUT', `there is no ${what} ${unknown}; expected ${known.join(', ')}`);
}

/** Whose a case may be. */
function owners(rules: readonly Rule[]): string[] {
  const named = rules.map(({ owner }) => owner).filter((owner) => owner !== 'source');
  return [...new Set([...SENDING_DEPARTMENTS, 'operator', ...named])].sort();
}

/** Those of the files, and those whose files are gone and whose cases are not. */
async function allRules({ db }: Queryable, rules: readonly Rule[]): Promise<string[]> {
  const { rows } = await sql<{ rule: string }>`
    SELECT DISTINCT split_part(lane, ' ', 1) AS rule FROM anomalies.lanes()`.execute(db);
  return [...new Set([...rules, ...rows].map(({ rule }) => rule))].sort();
}

/** @throws CASE_INPUT when it is not written as groups are */
function partsOf(group: string | undefined): { rule: string[]; feed: string[] } {
  if (group === undefined) return { rule: [], feed: [] };
  const [, rule, feed] = /^([A-Z]{2}\d{2}):([a-z_]+):\d{8}\.\d+$/.exec(group) ?? [];
  if (rule === undefined || feed === undefined)
    throw new PopshareError(
      'CASE_INPUT',
      `${group} is no group; expected <rule>:<feed>:<delivery>, as \`cases groups\` names it`,
    );
  return { rule: [rule], feed: [feed] };
}
