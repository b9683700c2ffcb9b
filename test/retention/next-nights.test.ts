import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actOnCase } from '../../src/anomalies/queue/actions.ts';
import { loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { checkDigit } from '../../src/schema/standards/identity-number.ts';
import { contentsOf } from '../faults/contents.ts';
import { useDisturbance } from '../faults/disturbed.ts';
import { reviewsOf } from '../identity/persons.ts';
import { death, type Row, title } from '../support/drop.ts';
import { purgeAll } from './purging.ts';

const { county } = useDisturbance();

const DATES = ['2026-12-01', '2026-12-02', '2026-12-03', '2026-12-04'];
const NAMES = ['王强', '李娜', '张伟'];
const RECORDS = 8;

function idNumber(sequence: number): string {
  const first17 = `62080219900101${String(sequence).padStart(3, '0')}`;
  return first17 + checkDigit(first17);
}

/** How one record is on one night: absent, spoilt, or with one of the names and perhaps a number. */
const state = fc.record({
  there: fc.boolean(),
  name: fc.constantFrom(...NAMES, ''),
  number: fc.constantFrom('own', 'neighbour', 'none', 'wrong'),
});
type State = { there: boolean; name: string; number: string };

const night = fc.record({
  households: fc.array(state, { minLength: RECORDS, maxLength: RECORDS }),
  titles: fc.array(state, { minLength: RECORDS, maxLength: RECORDS }),
  deaths: fc.array(state, { minLength: 2, maxLength: 2 }),
  dismisses: fc.boolean(),
  purges: fc.boolean(),
});
type Night = (typeof night extends fc.Arbitrary<infer Value> ? Value : never) & object;

function numberOf(index: number, { number }: State): string {
  if (number === 'own') return idNumber(index);
  if (number === 'neighbour') return idNumber(index + 1);
  return number === 'wrong' ? idNumber(index).replace(/.$/, (last) => (last === '0' ? '1' : '0')) : '';
}

const rowsOf = (states: readonly State[], row: (index: number, given: State) => Row): Row[] =>
  states.flatMap((given, index) => (given.there ? [row(index, given)] : []));

async function deliver(date: string, { households, titles, deaths }: Night): Promise<void> {
  // Some that never change, so that no gate finds a delivery too small.
  const steady = Array.from({ length: 20 }, (_, index) => ({
    there: true,
    name: '赵敏',
    number: 'none',
    index,
  }));
  await county.deliver('household_register', date, [
    ...steady.map(({ index }) => resident(`Q${index}`, '赵敏', '')),
    ...rowsOf(households, (index, given) => resident(`P${index}`, given.name, numberOf(index, given))),
  ]);
  await county.deliver('housing_ownership', date, [
    ...steady.map(({ index }) => title(`S${index}`, '赵敏')),
    ...rowsOf(titles, (index, given) =>
      title(`T${index}`, given.name, { owner_id_number: numberOf(index, given) }),
    ),
  ]);
  await county.deliver(
    'death_registration',
    date,
    rowsOf(deaths, (index, given) =>
      death(`D${index}`, given.name, '02 08:00:00', { id_number: numberOf(index, given) }),
    ),
  );
}

function resident(key: string, name: string, number: string): Row {
  return {
    person_number: key,
    id_number: number,
    name,
    sex: '1',
    birth_date: '19900101',
    registered_division: '620802001001',
    household_number: `H${key}`,
    status: '1',
    updated_at: '2026-11-01 08:00:00',
  };
}

/** The oldest open case is dismissed: it must not come back while its finding is the same. */
async function dismissOne(date: string): Promise<void> {
  const [found] = await county.query<{ anomaly_id: number; version: number }>(
    `SELECT anomaly_id, version FROM anomalies.anomaly WHERE status = 'new' AND severity <> 'info' ORDER BY subject LIMIT 1`,
  );
  if (found === undefined) return;
  await actOnCase(county.warehouse, found.anomaly_id, found.version, {
    action: 'dismiss',
    actor: { name: 'li', role: 'officer' },
    reason: 'not_a_fault',
    comment: '核实',
    today: date,
    dueDates: await loadDueDates(county.configuration),
  });
}

/** What nights and officers go on from: the registry as it stands, who is whom, the doubts and the open cases. */
async function standing(): Promise<Record<string, unknown>> {
  const { household_register, death_registration, housing_ownership, feed_state } = await contentsOf(
    county.warehouse,
  );
  const mention = `concat_ws(' ', m.feed, m.source_key, m.role)`;
  return {
    household_register,
    death_registration,
    housing_ownership,
    feed_state,
    persons: await county.query(
      `SELECT string_agg(${mention} || ' ' || l.method, ', ' ORDER BY ${mention}) AS person
       FROM identity.link l JOIN identity.mention m USING (mention_id) WHERE m.active GROUP BY l.person_id ORDER BY 1`,
    ),
    reviews: await reviewsOf(county),
    cases: await county.query(
      `SELECT rule, subject, status, severity, department, due_on, evidence FROM anomalies.anomaly
       WHERE status IN ('new', 'assigned', 'returned') ORDER BY rule, subject`,
    ),
    tally: await county.query(
      `SELECT rule, status, sum(cases) AS cases FROM anomalies.tally WHERE status NOT IN ('resolved', 'dismissed')
       GROUP BY 1, 2 HAVING sum(cases) <> 0 ORDER BY 1, 2`,
    ),
  };
}

async function runNights(nights: readonly Night[], purging: boolean): Promise<Record<string, unknown>> {
  await county.empty();
  await rm(county.data, { recursive: true, force: true });
  for (const [index, given] of nights.entries()) {
    const date = DATES[index] ?? '';
    await deliver(date, given);
    await county.night(date, []);
    if (given.dismisses) await dismissOne(date);
    if (purging && given.purges) await purgeAll(county);
  }
  return standing();
}

test('after a purge the next nights give the same registry, persons, reviews and open cases as without it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(night, { minLength: 2, maxLength: DATES.length }), async (nights) => {
      expect(await runNights(nights, true)).toEqual(await runNights(nights, false));
    }),
    { numRuns: 4, endOnFailure: true },
  );
}, 600_000);
