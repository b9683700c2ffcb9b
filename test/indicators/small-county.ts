import { beforeEach } from 'vitest';
import { loadIndicators } from '../../src/population/indicators/indicator-file.ts';
import { publishIndicators } from '../../src/population/indicators/publish.ts';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import { toRunId } from '../../src/schema/ids.ts';
import { useCounty } from '../support/drop.ts';

export const AS_OF = '2026-11-18';
export const COUNTY = '620802000000';
export const TOWN = '620802001000';
export const VILLAGE = '620802001001';
export const SECOND = '620802001002';
/** In another township. */
export const THIRD = '620802002001';

type Value = string | number | boolean | null;
type Fields = Readonly<Record<string, Value>>;

/** Somebody of the picture; what is left out: a local man born in 1980, living in VILLAGE for ever. */
export interface Somebody {
  readonly sex?: string;
  readonly born?: string | null;
  readonly category?: string;
  readonly village?: string | null;
  readonly registered?: string | null;
  readonly origin?: string;
  readonly household?: string;
  readonly since?: string;
  readonly until?: string;
  readonly died?: string;
}

/** A county whose picture is written row by row, so that every figure can be worked out by hand. */
export function useSmallCounty() {
  const county = useCounty();
  let lastPerson = 0;
  let lastMention = 0;

  beforeEach(async () => {
    lastPerson = 0;
    lastMention = 0;
    await county.query(`UPDATE population.state SET as_of = $1, updated_run = 1`, [AS_OF]);
    await knows(...CONTRACTS.map(({ feed }) => feed));
  });

  async function insert(table: string, fields: Fields): Promise<void> {
    const names = Object.keys(fields);
    await county.query(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_name, at) => `$${at + 1}`).join(', ')})`,
      Object.values(fields),
    );
  }

  /** These feeds, and no others, have been applied. */
  async function knows(...feeds: string[]): Promise<void> {
    await county.query('DELETE FROM ops.feed_state');
    await county.query(`
      INSERT INTO ops.run (business_date, purpose, status) SELECT '2026-11-17', 'nightly', 'done'
      WHERE NOT EXISTS (SELECT FROM ops.run)`);
    await county.query(
      `WITH applied AS (
         INSERT INTO ops.delivery (feed, department, business_date, sequence, run_id, status, received, accepted, rejected,
                                   new, changed, unchanged, arrived_at)
         SELECT feed, 'department', '2026-11-17', 1, (SELECT max(run_id) FROM ops.run), 'applied', 100, 90, 10, 90, 0, 0, now()
         FROM unnest($1::text[]) feed
         ON CONFLICT (feed, business_date, sequence) DO UPDATE SET received = 100 RETURNING feed, delivery_id)
       INSERT INTO ops.feed_state (feed, delivery_id, business_date, sha256, received)
       SELECT feed, delivery_id, '2026-11-17', '', 100 FROM applied`,
      [feeds],
    );
  }

  /** There was a picture a year ago. */
  async function knowsBefore(): Promise<void> {
    await insert('population.resident_estimate', {
      ...{ as_of: '2025-01-01', identified: 0, registered: 0, dual_system: 0, standard_error: 0 },
      ...{ strata: '[]', recorded_run: 1 },
    });
  }

  /** @returns the person's id */
  async function person(somebody: Somebody = {}): Promise<number> {
    const { sex = '1', category = 'local', village = VILLAGE, since = '2000-01-01' } = somebody;
    const born = somebody.born === undefined ? '1980-01-01' : somebody.born;
    const registered =
      somebody.registered === undefined ? (category === 'in_migrant' ? null : VILLAGE) : somebody.registered;
    const id = ++lastPerson;
    await insert('population.person', {
      ...{ person_id: id, sex, birth_date: born, death_date: somebody.died ?? null },
      ...{ registered_division: somebody.origin ?? registered, is_local: registered !== null, source: 'x' },
    });
    const { until } = somebody;
    if (category !== 'unknown')
      await insert('population.residence', {
        ...{ person_id: id, since, until: until ?? somebody.died ?? null, registered_division: registered },
        ...{ living_division: category === 'out_migrant' ? null : village, category },
        ...{ evidence: '{}', recorded_run: 1 },
      });
    if (somebody.died === undefined)
      await insert('population.standing', {
        ...{ person_id: id, birth_date: born, sex, registered_division: registered },
        household_number: somebody.household ?? null,
      });
    return id;
  }

  /** So many of the same. */
  async function persons(count: number, somebody: Somebody = {}): Promise<number[]> {
    const ids: number[] = [];
    for (let at = 0; at < count; at++) ids.push(await person(somebody));
    return ids;
  }

  /** A record that names these persons in these roles. */
  async function record(
    feed: string,
    key: string,
    fields: Fields,
    roles: Readonly<Record<string, number>> = {},
    mention: { method?: string; id_number?: string | null; division?: string | null } = {},
  ): Promise<void> {
    await insert(`registry.${feed}`, {
      source_key: key,
      delivery_id: 1,
      valid_from: '2026-11-17',
      ...fields,
    });
    for (const [role, id] of Object.entries(roles)) {
      const mentionId = ++lastMention;
      const { method = 'id_number', id_number = 'x', division = null } = mention;
      await insert('identity.mention', {
        ...{ mention_id: mentionId, feed, source_key: key, role, changed_run: 1, id_kind: 'resident' },
        ...{ id_number, division },
      });
      await insert('identity.link', { mention_id: mentionId, person_id: id, method, linked_run: 1 });
    }
  }

  /** Publishes these indicators. @returns what failed */
  async function publish(...codes: string[]): Promise<readonly string[]> {
    const all = await loadIndicators('config/indicators');
    const indicators = all
      .filter(({ indicator }) => codes.includes(indicator))
      .map(({ block: _block, within: _within, ...indicator }) => ({ ...indicator, within: [] }));
    return county.warehouse.db
      .transaction()
      .execute((tx) => publishIndicators(tx, toRunId(1), { indicators, county: '620802', leastPersons: 10 }));
  }

  /** The true figures of an indicator: `division` or `division series` → value, numerator, denominator. */
  async function figures(code: string): Promise<Record<string, readonly (number | null)[]>> {
    const rows = await county.query<{ place: string; figures: readonly (number | null)[] }>(
      `SELECT trim(division || ' ' || series) AS place, ARRAY[round(value::numeric, 4), numerator, denominator]::float8[] AS figures
       FROM population.indicator_value WHERE code = $1 ORDER BY 1`,
      [code],
    );
    return Object.fromEntries(rows.map(({ place, figures: found }) => [place, found]));
  }

  /** Publishes one indicator and gives its figure of the county. */
  async function figure(code: string, series = ''): Promise<readonly (number | null)[] | undefined> {
    await publish(code);
    return (await figures(code))[`${COUNTY} ${series}`.trim()];
  }

  return { county, knows, knowsBefore, insert, person, persons, record, publish, figures, figure };
}
