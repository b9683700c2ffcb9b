import { sql, type Transaction } from 'kysely';
import { expect } from 'vitest';
import { updateDwellings } from '../../src/population/dwellings.ts';
import { updateHouseholds } from '../../src/population/households.ts';
import { updateProfiles } from '../../src/population/profile.ts';
import { loadSurvivorship, type Survivorship } from '../../src/population/survivorship.ts';
import { gatherMentions } from '../../src/population/touched.ts';
import type { DB } from '../../src/schema/database.ts';
import { type Row, useCounty } from '../support/drop.ts';

/** What the session has written and not yet told to the server's statistics: in a transaction it only grows. */
async function written(tx: Transaction<DB>): Promise<number> {
  const { rows } = await sql<{ written: number }>`
    SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::integer AS written
    FROM pg_stat_xact_user_tables WHERE schemaname = 'population'`.execute(tx);
  return rows[0]?.written ?? 0;
}

/** A county whose persons, dwellings and households are brought to its records after each night. */
export function usePopulation() {
  const county = useCounty('ingest', 'identity', 'population');

  /** Delivers rows of some feeds on a date, runs the night, and brings the picture of everybody. */
  async function night(date: string, rows: Readonly<Record<string, Row[]>>): Promise<void> {
    for (const [feed, given] of Object.entries(rows)) await county.deliver(feed, date, given);
    expect(await county.night(date, Object.keys(rows))).toMatchObject({ status: 'done' });
    await bring();
  }

  /**
   * Brings the picture of some persons, by default of all that ever were.
   *
   * @returns how many rows were written
   */
  async function bring(
    options: { persons?: readonly number[]; survivorship?: Survivorship } = {},
  ): Promise<number> {
    const survivorship = options.survivorship ?? (await loadSurvivorship('config'));
    return county.warehouse.db.transaction().execute(async (tx) => {
      await sql`CREATE TEMPORARY TABLE touched_person (person_id bigint PRIMARY KEY) ON COMMIT DROP`.execute(
        tx,
      );
      await sql`
        INSERT INTO touched_person SELECT person_id FROM identity.person
        WHERE ${options.persons ?? null}::bigint[] IS NULL OR person_id = ANY (${options.persons ?? []}::bigint[])`.execute(
        tx,
      );
      await gatherMentions(tx);
      const before = await written(tx);
      await updateProfiles(tx, { survivorship, isFirst: false });
      await updateDwellings(tx);
      await updateHouseholds(tx);
      return (await written(tx)) - before;
    });
  }

  /** The person that a record names: feed, source key and, where it names several, the role. */
  async function personOf(feed: string, key: string, role = 'subject'): Promise<number> {
    const [link] = await county.query<{ person_id: number }>(
      'SELECT person_id FROM reporting.link WHERE feed = $1 AND source_key = $2 AND role = $3',
      [feed, key, role],
    );
    if (link === undefined) throw new Error(`${feed} ${key} names nobody as ${role}`);
    return link.person_id;
  }

  return { county, night, bring, personOf };
}
