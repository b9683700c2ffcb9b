import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { RunId } from '../../schema/ids.ts';
import { createCounts } from './counts.ts';
import { createEvents } from './events.ts';
import { computeFigures } from './figures.ts';
import { hideSmall } from './hide-small.ts';
import type { Indicator, IndicatorDay } from './indicator-file.ts';
import { createInsured } from './insured.ts';
import { createPresence } from './presence.ts';
import { writeFigures } from './write-figures.ts';

/** What stands among the lacking feeds of an indicator that compares with a year before. */
const A_YEAR = 'a picture of a year before';

/** What a night's figures are made with. */
export interface Publication {
  readonly indicators: readonly Indicator[];
  /** Six digits (GB/T 2260). */
  readonly county: string;
  /** A number of persons under this is not shown to readers. */
  readonly leastPersons: number;
}

/**
 * Brings the figures behind reporting.indicator to the night, all of them for all divisions: those of the month of the
 * newest business date. Figures of former months stay as they were on their last night. What is as it was is not
 * written; so a night that changes nothing writes nothing.
 *
 * An indicator without a feed that it needs has no figures, and population.indicator_gap says which; one whose SELECT
 * fails keeps those that it had.
 *
 * Before: the picture of the population is that of the night.
 *
 * @returns what went wrong with indicators whose SELECT failed, naming their files; it is to be told after the commit
 */
export async function publishIndicators(
  tx: Transaction<DB>,
  runId: RunId,
  { indicators, county, leastPersons }: Publication,
): Promise<readonly string[]> {
  const day = await dayOf(tx, county);
  if (day === null || indicators.length === 0) return [];
  await sql`SET LOCAL work_mem = '256MB'`.execute(tx);
  const published = await leaveOutGaps(tx, runId, indicators, day);
  await createPresence(tx, day);
  await createInsured(tx);
  await createEvents(tx, day);
  await createCounts(tx, day);
  const { computed, failures } = await computeFigures(tx, published, day);
  await sql`CREATE INDEX ON figure (block)`.execute(tx);
  await sql`ANALYZE figure (code, block, division)`.execute(tx);
  await hideSmall(tx, published, leastPersons);
  const without = indicators.filter((indicator) => !published.includes(indicator));
  await writeFigures(tx, runId, {
    indicators: published,
    judged: [...computed, ...without.map(({ indicator }) => indicator)],
    asOf: day.asOf,
  });
  return failures;
}

/** Null before the first picture. */
async function dayOf(tx: Transaction<DB>, county: string): Promise<IndicatorDay | null> {
  const { rows } = await sql<IndicatorDay>`
    SELECT as_of AS "asOf", (as_of - interval '1 year')::date AS "from", ${`${county}000000`} AS county,
           coalesce((SELECT min(as_of) FROM population.resident_estimate) <= as_of - interval '1 year', false) AS "knowsBefore"
    FROM population.state WHERE as_of IS NOT NULL`.execute(tx);
  return rows[0] ?? null;
}

/** @returns the indicators of whose feeds each has been applied once; of the others it is written down what they lack */
async function leaveOutGaps(
  tx: Transaction<DB>,
  runId: RunId,
  indicators: readonly Indicator[],
  { knowsBefore }: IndicatorDay,
): Promise<Indicator[]> {
  const { rows } = await sql<{ feed: string }>`SELECT feed FROM ops.feed_state`.execute(tx);
  const known = rows.map(({ feed }) => feed);
  const gaps = indicators
    .map(({ indicator, feeds, compares }) => ({
      code: indicator,
      feeds: [
        ...feeds.filter((feed) => !known.includes(feed)),
        ...(compares && !knowsBefore ? [A_YEAR] : []),
      ],
    }))
    .filter(({ feeds }) => feeds.length > 0);
  const told = sql`jsonb_to_recordset(${JSON.stringify(gaps)}::jsonb) AS g (code text, feeds text[])`;
  await sql`
    DELETE FROM population.indicator_gap WHERE code NOT IN (SELECT code FROM ${told})`.execute(tx);
  await sql`
    INSERT INTO population.indicator_gap AS known (code, feeds, run_id) SELECT g.code, g.feeds, ${runId} FROM ${told}
    ON CONFLICT (code) DO UPDATE SET feeds = excluded.feeds, run_id = excluded.run_id
      WHERE known.feeds <> excluded.feeds`.execute(tx);
  return indicators.filter(({ indicator }) => gaps.every(({ code }) => code !== indicator));
}

/** The failure of a step whose other figures are published. */
export function indicatorFailure(failures: readonly string[]): PopshareError {
  return new PopshareError('INDICATOR_FAILED', failures.join('\n'));
}
