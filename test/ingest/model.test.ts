import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { death, fileOf, type Row, title, useCounty } from '../support/drop.ts';

// Random nights against a plain model in memory. Few keys, values, times and dates, so that they meet often.

const county = useCounty('ingest');
const DATES = ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21'];

beforeEach(() => county.setGates({ rejected_percent: 100, fewer_percent: 100, more_percent: 1_000_000 }));

/** One row: `value` null is a row that the contract refuses. */
interface ModelRow {
  readonly key: string;
  readonly value: string | null;
  readonly time: number;
}

interface ModelDelivery {
  readonly date: string;
  readonly rows: readonly ModelRow[];
}

const delivery = (minLength: number): fc.Arbitrary<ModelDelivery> =>
  fc.record({
    date: fc.constantFrom(...DATES),
    rows: fc.array(
      fc.record({
        key: fc.constantFrom('A', 'B', 'C', 'D'),
        value: fc.option(fc.constantFrom('王强', '李娜', '张伟'), { freq: 6 }),
        time: fc.integer({ min: 1, max: 3 }),
      }),
      { minLength, maxLength: 6 },
    ),
  });

/** What a feed should say: its records now, and on every date. */
interface Model {
  take(delivery: ModelDelivery): void;
  standing(): Record<string, string>;
  asOf(date: string): Record<string, string>;
}

/** The last good row of each key. */
function snapshotModel(): Model {
  const byDate = new Map<string, Record<string, string>>();
  const lastDate = (until: string): string | undefined =>
    [...byDate.keys()]
      .filter((date) => date <= until)
      .sort()
      .at(-1);
  const asOf = (date: string): Record<string, string> => byDate.get(lastDate(date) ?? '') ?? {};
  return {
    take({ date, rows }) {
      if ((lastDate('9999') ?? '') > date) return;
      const before = asOf('9999');
      const refused = rows.filter(({ value }) => value === null).map(({ key }) => key);
      const kept = Object.entries(before).filter(([key]) => refused.includes(key));
      const good = rows.flatMap(({ key, value }) => (value === null ? [] : [[key, value]]));
      byDate.set(date, Object.fromEntries([...kept, ...good]));
    },
    standing: () => asOf('9999'),
    asOf,
  };
}

/** The latest row of each key by time of change, then by business date; a version begins no earlier than the one before. */
function incrementalModel(): Model {
  interface Version {
    readonly value: string;
    readonly time: number;
    readonly from: string;
  }
  const versions = new Map<string, Version[]>();
  const latest = (list: readonly Version[], until: string): Version | undefined =>
    list.filter(({ from }) => from <= until).at(-1);
  const asOf = (date: string): Record<string, string> =>
    Object.fromEntries(
      [...versions].flatMap(([key, list]) => {
        const version = latest(list, date);
        return version === undefined ? [] : [[key, version.value]];
      }),
    );
  return {
    take({ date, rows }) {
      // A stable sort keeps the order of the file among equal times: the last row of a key is the one that counts.
      const good = rows.toSorted((left, right) => left.time - right.time);
      const winners = new Map(good.filter(({ value }) => value !== null).map((row) => [row.key, row]));
      for (const { key, value, time } of winners.values()) {
        const list = versions.get(key) ?? [];
        const before = list.at(-1);
        const isOlder =
          before !== undefined && (time < before.time || (time === before.time && date < before.from));
        const isSame = before !== undefined && time === before.time && value === before.value;
        if (value === null || isOlder || isSame) continue;
        versions.set(key, [
          ...list,
          { value, time, from: before !== undefined && before.from > date ? before.from : date },
        ]);
      }
    },
    standing: () => asOf('9999'),
    asOf,
  };
}

/** Sends the deliveries one by one and compares the registry with the model after each. */
async function follow(
  feed: string,
  field: string,
  model: Model,
  deliveries: readonly ModelDelivery[],
  rowOf: (row: ModelRow) => Row,
): Promise<void> {
  await county.empty();
  const sent = new Set<string>();
  for (const { date, rows } of deliveries) {
    const bytes = fileOf(county.binding(feed), rows.map(rowOf));
    await county.deliverBytes(feed, date, bytes, rows.length);
    const report = await county.ingest(feed, date);
    const isNew = !sent.has(date + bytes.toString('hex'));
    sent.add(date + bytes.toString('hex'));
    if (isNew) {
      const before = Object.keys(model.standing());
      model.take({ date, rows });
      const after = Object.keys(model.standing());
      expect(report.received).toBe(rows.length);
      expect(report.rejected).toBe(rows.filter(({ value }) => value === null).length);
      expect(report.new).toBe(after.filter((key) => !before.includes(key)).length);
      expect(report.removed).toBe(before.filter((key) => !after.includes(key)).length);
    }
    expect(await county.records(feed, field)).toEqual(model.standing());
    for (const asOf of ['2026-11-17', ...DATES])
      expect(await county.records(feed, field, asOf)).toEqual(model.asOf(asOf));
  }
  const unbalanced = await county.query(`
    SELECT * FROM ops.delivery WHERE received <> accepted + rejected OR accepted <> new + changed + unchanged`);
  expect(unbalanced).toEqual([]);
}

describe('the registry answers as a plain model does', () => {
  test('for snapshots in any order of dates', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(delivery(1), { minLength: 2, maxLength: 6 }), (deliveries) =>
        follow('housing_ownership', 'owner_name', snapshotModel(), deliveries, ({ key, value }) =>
          title(key, value ?? '王强', value === null ? { registered_on: '?' } : {}),
        ),
      ),
      { numRuns: 9 },
    );
  });

  const deathOf = ({ key, value, time }: ModelRow): Row =>
    death(key, value ?? '王强', `0${time} 08:00:00`, value === null ? { died_on: '?' } : {});
  const once = (date: string, value: string): ModelDelivery => ({
    date,
    rows: [{ key: 'A', value, time: 1 }],
  });

  test('for incremental deliveries in any order of dates', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(delivery(0), { minLength: 2, maxLength: 6 }), (deliveries) =>
        follow('death_registration', 'name', incrementalModel(), deliveries, deathOf),
      ),
      {
        numRuns: 9,
        examples: [
          [[once('2026-11-19', '李娜'), once('2026-11-18', '王强'), once('2026-11-20', '王强')]],
          [['18', '20', '19', '21'].map((day) => once(`2026-11-${day}`, day === '19' ? '李娜' : '王强'))],
        ],
      },
    );
  });
});
