import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CaseFilter, readFilter } from '../../src/anomalies/queue/filter.ts';
import { listGroups } from '../../src/anomalies/queue/groups.ts';
import { foldTallies, tidyTallies } from '../../src/anomalies/queue/tallies.ts';
import { type Finding, rule, TODAY, useQueue } from './queue.ts';

const queue = useQueue();
const { county, night, page, pages, act } = queue;

const RULES = [
  rule('DQ01'),
  rule('DQ02', 'low'),
  rule('ID05', 'high', 'civil-affairs'),
  rule('MP01', 'medium', 'housing'),
];
const FEEDS = ['household_register', 'social_insurance', 'housing_lease'];
const VILLAGES = ['620802001001', '620802001002', '620802002001', '620102001001'];

/** Cases of all rules, feeds and villages, some without a place or a person; opened over several days. */
async function manyCases(): Promise<void> {
  let n = 0;
  for (const [index, of] of RULES.entries()) {
    const findings: Finding[] = [];
    for (const date of ['2026-11-02', '2026-11-09', '2026-11-16']) {
      for (let count = 0; count < 9; count++, n++) {
        findings.push({
          subject: `${of.rule} ${n}`,
          feed: FEEDS[(n + index) % 3] ?? '',
          source_key: String(n),
          role: 'subject',
          ...(n % 5 === 0 ? {} : { division: VILLAGES[n % 4] ?? '' }),
          ...(n % 7 === 0 ? {} : { person_id: 1 + (n % 6) }),
        });
      }
      await night(date, findings, of);
    }
  }
  await county.query(`UPDATE anomalies.anomaly SET cause = '20261102.1' WHERE opened_on = '2026-11-02'`);
  await countAnew();
  for (let id = await firstId(); id < (await firstId()) + n; id += 4) {
    await act(id, id % 8 < 4 ? 'assign' : 'return', {
      owner: id % 3 === 0 ? 'li' : 'chen',
      department: id % 3 === 0 ? 'housing' : 'public-security',
    });
    if (id % 5 === 0) await act(id, 'resolve');
  }
}

/** The tallies as the cases are: half of them in the journal. */
async function countAnew(): Promise<void> {
  await county.query('DELETE FROM anomalies.tally_move');
  for (const book of await books()) await county.query(`DELETE FROM ${book}`);
  for (const half of [0, 1]) {
    await county.warehouse.db.transaction().execute(foldTallies);
    await county.query(
      `INSERT INTO anomalies.tally_move (due_on, priority, lane, department, severity, status, county, town, cause, returned_to, cases)
       SELECT due_on, CASE severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, lane, department, severity, status,
              county, town, coalesce(cause, ''), coalesce(returned_to, ''), count(*)
       FROM anomalies.anomaly WHERE anomaly_id % 2 = $1 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10`,
      [half],
    );
  }
}

async function books(): Promise<string[]> {
  const found = await county.query<{ name: string }>(
    `SELECT format('anomalies.%I', relname) AS name FROM pg_class WHERE relname LIKE 'tally%_book' AND relkind = 'r'`,
  );
  return found.map(({ name }) => name);
}

async function firstId(): Promise<number> {
  return (
    (await county.query<{ id: number }>('SELECT min(anomaly_id) AS id FROM anomalies.anomaly'))[0]?.id ?? 0
  );
}

/** What a filter should let through, said in the plainest way, in the order of the queue. */
async function expected(
  filter: CaseFilter,
  order: 'priority' | 'due',
  groups: readonly string[],
): Promise<number[]> {
  const rows = await county.query<Record<string, string> & { anomaly_id: number; person_id: number | null }>(
    `SELECT *, rule || ':' || feed || ':' || cause AS "group" FROM anomalies.anomaly`,
  );
  const rank = (severity = ''): number => ['high', 'medium', 'low'].indexOf(severity);
  const one = (allowed: readonly string[] | undefined, value: string | undefined): boolean =>
    allowed === undefined || allowed.includes(value ?? '');
  const prefix = (filter.division ?? '').replace(/(000)+$/, '');
  return rows
    .filter(
      (row) =>
        one(filter.status ?? ['new', 'assigned', 'returned'], row['status']) &&
        one(filter.rule, row['rule']) &&
        one(filter.family, row['family']) &&
        one(filter.severity, row['severity']) &&
        one(filter.department, row['department']) &&
        (filter.desk === undefined || [row['department'], row['returned_to']].includes(filter.desk)) &&
        one(filter.feed, row['feed']) &&
        (filter.division === undefined || (row['division'] ?? '').startsWith(prefix)) &&
        (filter.owner === undefined || row['owner'] === filter.owner) &&
        (filter.due_before === undefined || (row['due_on'] ?? '') < filter.due_before) &&
        (filter.person === undefined || row.person_id === filter.person) &&
        (filter.group === undefined || row['group'] === filter.group) &&
        !(filter.outside_groups && groups.includes(row['group'] ?? '')),
    )
    .toSorted((left, right) => {
      const [severity, due] = [
        rank(left['severity']) - rank(right['severity']),
        (left['due_on'] ?? '').localeCompare(right['due_on'] ?? ''),
      ];
      const [first, second] = order === 'priority' ? [severity, due] : [due, severity];
      return first || second || left.anomaly_id - right.anomaly_id;
    })
    .map(({ anomaly_id }) => anomaly_id);
}

/** Half of the filters say nothing of it. */
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });
const some = <Value>(...values: Value[]) => maybe(fc.subarray(values, { minLength: 1 }));
const anyFilter = fc
  .record({
    status: some('new' as const, 'assigned' as const, 'returned' as const, 'resolved' as const),
    rule: some('DQ01', 'DQ02', 'ID05'),
    family: some('DQ', 'MP'),
    severity: some('high' as const, 'medium' as const, 'low' as const),
    department: some('public-security', 'human-resources', 'civil-affairs', 'housing'),
    desk: maybe(fc.constantFrom('public-security', 'housing')),
    feed: some(...FEEDS),
    division: maybe(fc.constantFrom('62', '620802000000', '620802001000', '620802001001', '620102')),
    owner: maybe(fc.constantFrom('li', 'chen')),
    due_before: maybe(fc.constantFrom('2026-11-15', '2026-11-24')),
    person: maybe(fc.constantFrom(1, 2)),
    group: maybe(fc.constantFrom('DQ01:household_register:20261102.1')),
    outside_groups: maybe(fc.constant(true as const)),
  })
  .map(({ group, person, ...filter }) => {
    // Few filters are narrow: most are to let something through.
    const given = {
      ...filter,
      ...(Math.abs(JSON.stringify(filter).length % 4) === 0 ? { group, person } : {}),
    };
    return readFilter(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
  });

test('every filter, order and size of page lists each case that it lets through, once, and counts them', async () => {
  await manyCases();
  const groups = (await listGroups(county.warehouse, 2)).map(({ group }) => group);
  expect(groups.length).toBeGreaterThan(0);
  await fc.assert(
    fc.asyncProperty(
      anyFilter,
      fc.constantFrom('priority' as const, 'due' as const),
      fc.integer({ min: 1, max: 30 }),
      async (filter, order, limit) => {
        const listed = await pages(filter, { order, limit, groupAbove: 2 });
        const should = await expected(filter, order, groups);
        expect(listed).toEqual(should);
        const { counts } = await page(filter, { order, limit, groupAbove: 2 });
        expect(counts.total).toBe(should.length);
        for (const by of [counts.by_status, counts.by_rule, counts.by_severity, counts.by_department])
          expect(Object.values(by).reduce((sum, n) => sum + n, 0)).toBe(should.length);
        const late = await expected(
          { ...filter, due_before: earlier(filter.due_before, TODAY) },
          order,
          groups,
        );
        expect(counts.overdue).toBe(late.length);
      },
    ),
    { numRuns: 120 },
  );
}, 240_000);

const earlier = (one: string | undefined, other: string): string =>
  one !== undefined && one < other ? one : other;

test('entering the journal in the books, and tidying these, changes no count', async () => {
  await manyCases();
  const told = async () => ({
    pages: await Promise.all(
      [{}, { due_before: TODAY }, { outside_groups: true as const }, { division: '620802001' }].map((of) =>
        page(of),
      ),
    ),
    groups: await listGroups(county.warehouse, 2),
  });
  const before = await told();
  await county.warehouse.db.transaction().execute(tidyTallies);
  expect(await told()).toEqual(before);
  expect(await county.query('SELECT FROM anomalies.tally_move')).toEqual([]);
  for (const book of await books())
    expect(await county.query(`SELECT FROM ${book} WHERE cases <= 0`)).toEqual([]);
});

describe('while cases come and go', () => {
  beforeEach(() => night('2026-11-02', findings(0, 40)));

  const findings = (from: number, to: number): Finding[] =>
    Array.from({ length: to - from }, (_, index) => ({
      subject: String(from + index),
      division: '620802001001',
    }));

  test('pages show every case that stands, once', async () => {
    const [firstId = 0] = await pages({}, { limit: 1 });
    const seen: number[] = [];
    let [after, round]: [string | null, number] = [null, 0];
    do {
      const { cases, next } = await page({}, { limit: 7, after });
      seen.push(...cases.map(({ anomaly_id }) => anomaly_id));
      after = next;
      round += 1;
      await night(`2026-11-${10 + Math.min(round, 20)}`, findings(0, 40 + 5 * Math.min(round, 8)));
      if (round === 2) await act(firstId, 'dismiss');
    } while (after !== null);
    expect(new Set(seen).size).toBe(seen.length);
    for (let index = 0; index < 40; index++) expect(seen).toContain(firstId + index);
  });

  test('counts and rows are of one snapshot', async () => {
    const changing = (async () => {
      for (let round = 1; round <= 6; round++)
        await night(`2026-11-0${2 + round}`, findings(round, 40 + round * (round % 2 === 0 ? 3 : -3)));
    })();
    let done = false;
    void changing.finally(() => {
      done = true;
    });
    for (let reads = 0; reads < 5 || !done; reads++) {
      const { counts, cases } = await page({}, { limit: 200 });
      expect(cases).toHaveLength(counts.total);
    }
    await changing;
  });
});

test('a page begins nowhere but where another ended', async () => {
  await expect(page({}, { after: 'anywhere' })).rejects.toMatchObject({ code: 'CASE_INPUT' });
});

test('rows tell how many open cases the person has', async () => {
  await night(TODAY, [{ subject: 'A', person_id: 7 }, { subject: 'B', person_id: 7 }, { subject: 'C' }]);
  const { cases } = await page();
  expect(cases.map(({ person_cases }) => person_cases)).toEqual([2, 2, 0]);
});
