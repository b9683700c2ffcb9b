import { expect } from 'vitest';
import { type Row, useCounty } from '../support/drop.ts';

/** What the picture says of the person behind a record. */
interface Living {
  readonly category: string;
  readonly living: string | null;
  readonly since: string;
  readonly until: string | null;
  readonly kind: string;
}

/** A county whose nights run no rules. */
export function usePictures() {
  const county = useCounty('ingest', 'identity', 'population');

  /** Delivers rows of some feeds and runs the night for these. */
  async function night(date: string, rows: Readonly<Record<string, Row[]>>): Promise<void> {
    for (const [feed, given] of Object.entries(rows)) await county.deliver(feed, date, given);
    const report = await county.night(date, Object.keys(rows));
    expect(report.status).toBe('done');
  }

  async function personOf(feed: string, key: string, role = 'subject'): Promise<number> {
    const [row] = await county.query<{ person_id: number }>(
      'SELECT person_id FROM reporting.link WHERE feed = $1 AND source_key = $2 AND role = $3',
      [feed, key, role],
    );
    if (row === undefined) throw new Error(`${feed} ${key} names nobody as ${role}`);
    return row.person_id;
  }

  /** All intervals of the person, the oldest first. */
  async function residenceOf(person: number): Promise<Living[]> {
    return county.query<Living>(
      `SELECT category, living_division AS living, since, until, evidence ->> 'kind' AS kind
       FROM population.residence WHERE person_id = $1 ORDER BY since`,
      [person],
    );
  }

  /** The index, and the kinds of signs of the last 24 months with their months. */
  async function residencyOf(
    person: number,
  ): Promise<{ index: number; months: Record<string, number> } | undefined> {
    const [row] = await county.query<{ index: number; months: Record<string, number> }>(
      `SELECT index, (SELECT coalesce(jsonb_object_agg(key, value -> 'months'), '{}') FROM jsonb_each(signs)) AS months
       FROM identity.residency WHERE person_id = $1`,
      [person],
    );
    return row;
  }

  return { county, night, personOf, residenceOf, residencyOf };
}
