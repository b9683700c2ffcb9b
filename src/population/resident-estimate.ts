import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import type { PictureDay } from './sign-kinds.ts';

/** People who are not registered here, as two lists know them. */
export interface Lists {
  /** On the first list, on the second, on both. */
  readonly first: number;
  readonly second: number;
  readonly both: number;
}

/**
 * How many people there are, by two lists that know them independently of each other (Chapman's form of the
 * Lincoln–Petersen estimator, which also holds for small counts and for no overlap).
 *
 * @returns persons, and the variance of the estimate
 */
export function dualSystem({ first, second, both }: Lists): { persons: number; variance: number } {
  return {
    persons: ((first + 1) * (second + 1)) / (both + 1) - 1,
    variance:
      ((first + 1) * (second + 1) * (first - both) * (second - both)) / ((both + 1) ** 2 * (both + 2)),
  };
}

interface Stratum extends Lists {
  readonly stratum: 'adults' | 'children';
}

/**
 * Estimates how many people live here, and records it beside what was identified and what the register counts.
 *
 * After Zhang and Dunne (Trimmed dual system estimation, in: Capture–Recapture Methods for the Social and Medical
 * Sciences, 2017): the register is trimmed of those whom the residency index does not find here; for people who are
 * not in it, adults and children apart, residence registrations in force are the first list, and insurance, leases,
 * schools and trade the second. An estimate that is as the last one was is not written.
 */
export async function estimateResidents(tx: Transaction<DB>, runId: RunId, day: PictureDay): Promise<void> {
  const counts = await countIdentified(tx);
  const strata = (await readLists(tx, day)).map((stratum) => ({ ...stratum, ...dualSystem(stratum) }));
  const sum = (of: 'persons' | 'variance'): number =>
    strata.reduce((total, stratum) => total + stratum[of], 0);
  const round = (value: number): number => Math.round(value * 10) / 10;
  const told = strata.map(({ variance, persons, ...stratum }) => ({ ...stratum, persons: round(persons) }));
  await sql`
    INSERT INTO population.resident_estimate AS e
      (as_of, identified, registered, dual_system, standard_error, strata, recorded_run)
    SELECT ${day.asOf}::date, n.identified, n.registered, n.dual_system, n.standard_error, n.strata, ${runId}
    FROM (SELECT ${counts.identified}::integer AS identified, ${counts.registered}::integer AS registered,
                 ${round(counts.trimmed + sum('persons'))}::float8 AS dual_system,
                 ${round(Math.sqrt(sum('variance')))}::float8 AS standard_error,
                 ${JSON.stringify(told)}::jsonb AS strata) n
    LEFT JOIN (SELECT * FROM population.resident_estimate WHERE as_of <= ${day.asOf}::date ORDER BY as_of DESC LIMIT 1) o ON true
    WHERE (n.identified, n.registered, n.dual_system, n.standard_error, n.strata)
          IS DISTINCT FROM (o.identified, o.registered, o.dual_system, o.standard_error, o.strata)
    ON CONFLICT (as_of) DO UPDATE SET identified = excluded.identified, registered = excluded.registered,
      dual_system = excluded.dual_system, standard_error = excluded.standard_error, strata = excluded.strata,
      recorded_run = excluded.recorded_run`.execute(tx);
}

async function countIdentified(
  tx: Transaction<DB>,
): Promise<{ identified: number; trimmed: number; registered: number }> {
  const { rows } = await sql<{ identified: number; trimmed: number; registered: number }>`
    SELECT count(*) FILTER (WHERE category <> 'out_migrant') AS identified,
           count(*) FILTER (WHERE category IN ('local', 'separated')) AS trimmed,
           (SELECT count(*) FROM registry.household_register WHERE status = '1') AS registered
    FROM population.residence WHERE until IS NULL`.execute(tx);
  return rows[0] ?? { identified: 0, trimmed: 0, registered: 0 };
}

async function readLists(tx: Transaction<DB>, { asOf, settings }: PictureDay): Promise<Stratum[]> {
  const payment = sql`make_interval(months => ${settings.payment_speaks_months}::integer)`;
  const inForce = (kinds: readonly string[], speaks: RawBuilder<unknown>): RawBuilder<unknown> => sql`
    bool_or(s.kind IN (${sql.join(kinds)}) AND (s.until IS NULL OR s.until + ${speaks} >= ${asOf}::date))`;
  const now = sql`interval '0'`;
  const { rows } = await sql<Stratum>`
    SELECT stratum, count(*) FILTER (WHERE first) AS first, count(*) FILTER (WHERE second) AS second,
           count(*) FILTER (WHERE first AND second) AS both
    FROM (SELECT CASE WHEN t.birth_date > ${asOf}::date - interval '18 years' THEN 'children' ELSE 'adults' END AS stratum,
                 ${inForce(['residence_registered'], now)} AS first,
                 ${inForce(['medical_paid', 'pension_paid'], payment)}
                   OR ${inForce(['tenant', 'enrolled', 'trader'], now)} AS second
          FROM population.standing t JOIN population.sign s USING (person_id)
          WHERE t.registered_key IS NULL AND s.since <= ${asOf}::date AND (t.left_on IS NULL OR s.since > t.left_on)
          GROUP BY t.person_id, t.birth_date) p
    GROUP BY stratum ORDER BY stratum`.execute(tx);
  return rows;
}
