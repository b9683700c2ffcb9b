import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import { isEmpty, loadUnindexed } from '../schema/warehouse/bulk.ts';
import type { PictureDay } from './sign-kinds.ts';
import { refreshStatistics } from './statistics.ts';

/** A kind of sign that tells where somebody lives. */
interface PlaceEvidence {
  readonly kind: string;
  /** How many months it speaks for after it has ended. */
  readonly speaksMonths: number;
  /**
   * Only for people who are not registered here: of the others the residency index tells more. Payments tell the
   * county and no village; a child registered here may be born here of parents who live elsewhere.
   */
  readonly forUnregistered: boolean;
}

/** Evidence of the place of living, the better first. */
function placeEvidence({ settings }: PictureDay): readonly PlaceEvidence[] {
  const { report_speaks_months: report, payment_speaks_months: payment } = settings;
  return [
    { kind: 'residence_registered', speaksMonths: 0, forUnregistered: false },
    { kind: 'tenant', speaksMonths: 0, forUnregistered: false },
    { kind: 'enrolled', speaksMonths: 0, forUnregistered: false },
    { kind: 'own_birth', speaksMonths: 0, forUnregistered: true },
    { kind: 'trader', speaksMonths: 0, forUnregistered: false },
    { kind: 'came', speaksMonths: report, forUnregistered: false },
    { kind: 'medical_paid', speaksMonths: payment, forUnregistered: true },
    { kind: 'pension_paid', speaksMonths: payment, forUnregistered: true },
  ];
}

/**
 * Brings where the touched live, and since when.
 *
 * The place of living is the best evidence in force that lasts half a year (lived, or registered to live), else, for
 * registered persons whose residency index reaches the threshold, the place of registration. Categories, exclusive:
 * local (registered, and living in the registered village), separated (registered, and living elsewhere in the
 * county), in_migrant (not registered, and living here), out_migrant (registered, and not living here).
 *
 * After: population.residence has one open interval for each person with a category. When the picture of a person
 * changes, the open interval is closed on the day from which the new evidence tells, or tonight when that tells of
 * earlier days; closed intervals stay as they are. Persons who were merged away have none. standing.revisit_on is
 * the next day on which the picture changes by time alone.
 */
export async function updateResidence(tx: Transaction<DB>, runId: RunId, day: PictureDay): Promise<void> {
  await createEvidence(tx, day);
  await createPicture(tx, day);
  await forgetMerged(tx);
  await closeIntervals(tx, day);
  await openIntervals(tx, runId);
  await setRevisits(tx, day);
}

/** After: temporary table `place_sign` has what may tell of the place of living of the touched, in force or not. */
async function createEvidence(tx: Transaction<DB>, day: PictureDay): Promise<void> {
  const { asOf, settings } = day;
  const kinds = placeEvidence(day).map(
    ({ kind, speaksMonths, forUnregistered }, rank) =>
      sql`(${kind}::text COLLATE "C", ${rank}::integer, make_interval(months => ${speaksMonths}::integer), ${forUnregistered}::boolean)`,
  );
  await sql`
    CREATE TEMPORARY TABLE place_sign ON COMMIT DROP AS
    SELECT s.person_id, s.kind, s.feed, s.source_key, s.since, s.until, s.division, e.rank,
           (s.until + e.speaks)::date AS speaks_until,
           (s.since + make_interval(months => ${settings.half_year_months}::integer))::date AS half_year_on
    FROM touched_person p JOIN population.sign s USING (person_id) JOIN population.standing t USING (person_id)
    JOIN (VALUES ${sql.join(kinds)}) AS e (kind, rank, speaks, for_unregistered) ON e.kind = s.kind
    WHERE (t.left_on IS NULL OR s.since > t.left_on)
      AND (s.until IS NULL OR s.until + e.speaks >= ${asOf}::date)
      AND CASE WHEN e.for_unregistered THEN t.registered_key IS NULL
               WHEN s.division IS NULL THEN t.registered_key IS NULL
               ELSE s.division LIKE ${`${settings.county}%`} END`.execute(tx);
  await sql`ANALYZE place_sign`.execute(tx);
}

/** After: temporary table `new_residence` has the picture of tonight: at most one row a person. */
async function createPicture(tx: Transaction<DB>, { asOf, settings }: PictureDay): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE new_residence ON COMMIT DROP AS
    WITH place AS (
      SELECT DISTINCT ON (person_id) person_id, kind, feed, source_key, since, until,
             coalesce(division, ${`${settings.county}000000`}) AS division
      FROM place_sign
      WHERE since <= ${asOf}::date
        AND half_year_on <= greatest(until, ${asOf}::date) + 1
      ORDER BY person_id, rank, since DESC, source_key)
    SELECT t.person_id, t.registered_division, e.living_division,
           CASE WHEN t.registered_key IS NULL THEN 'in_migrant'
                WHEN e.living_division IS NULL THEN 'out_migrant'
                WHEN e.living_division = t.registered_division THEN 'local'
                ELSE 'separated' END AS category,
           CASE WHEN l.person_id IS NOT NULL
                  THEN jsonb_build_object('kind', l.kind, 'feed', l.feed, 'source_key', l.source_key,
                                          'since', l.since, 'until', l.until)
                WHEN t.left_on IS NOT NULL
                  THEN jsonb_build_object('kind', 'left', 'feed', 'village_report', 'source_key', t.left_key,
                                          'since', t.left_on)
                ELSE jsonb_build_object('kind', 'residency_index') END AS evidence,
           least(${asOf}::date, CASE WHEN l.person_id IS NOT NULL THEN l.since
                WHEN e.living_division IS NULL THEN coalesce(t.left_on, ${asOf}::date)
                ELSE coalesce(t.moved_in_on, t.birth_date, ${asOf}::date) END) AS since
    FROM touched_person p JOIN population.standing t USING (person_id)
    LEFT JOIN place l USING (person_id)
    LEFT JOIN identity.residency i USING (person_id)
    CROSS JOIN LATERAL (SELECT coalesce(l.division, CASE WHEN i.index >= ${settings.index.threshold}
                                                         THEN t.registered_division END) AS living_division) e
    WHERE t.registered_key IS NOT NULL OR l.person_id IS NOT NULL`.execute(tx);
  await sql`ANALYZE new_residence (person_id)`.execute(tx);
}

/** The rows of who was merged away vanish: the one who took the place has their records, and its own intervals. */
async function forgetMerged(tx: Transaction<DB>): Promise<void> {
  await sql`
    DELETE FROM population.residence r USING touched_person p JOIN identity.person i USING (person_id)
    WHERE r.person_id = p.person_id AND i.merged_into IS NOT NULL`.execute(tx);
}

const isSame: RawBuilder<unknown> = sql`
  (r.registered_division, r.living_division, r.category) IS NOT DISTINCT FROM
  (d.registered_division, d.living_division, d.category)`;

/** Ends what no longer holds. An interval that would not have lasted a day goes without a trace. */
async function closeIntervals(tx: Transaction<DB>, { asOf }: PictureDay): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE ended ON COMMIT DROP AS
    SELECT r.person_id, r.since, CASE WHEN d.since > r.since THEN d.since
           ELSE coalesce(least(x.died_on, ${asOf}::date), ${asOf}::date) END AS until
    FROM touched_person p JOIN population.residence r USING (person_id) LEFT JOIN new_residence d USING (person_id)
    LEFT JOIN touched_death x USING (person_id)
    WHERE r.until IS NULL AND (d.person_id IS NULL OR NOT ${isSame})`.execute(tx);
  await sql`
    UPDATE new_residence d SET since = e.until FROM ended e WHERE e.person_id = d.person_id`.execute(tx);
  await sql`
    DELETE FROM population.residence r USING ended e
    WHERE r.person_id = e.person_id AND r.since = e.since AND e.until <= e.since`.execute(tx);
  await sql`
    UPDATE population.residence r SET until = e.until FROM ended e
    WHERE r.person_id = e.person_id AND r.since = e.since`.execute(tx);
}

/** Opens what is new, and brings the evidence of what stands. */
async function openIntervals(tx: Transaction<DB>, runId: RunId): Promise<void> {
  await sql`
    UPDATE population.residence r SET evidence = d.evidence, recorded_run = ${runId}
    FROM new_residence d
    WHERE r.person_id = d.person_id AND r.until IS NULL AND r.evidence <> d.evidence`.execute(tx);
  // What is newly known of a person who had gone begins after what was known.
  const open = async (): Promise<number> => {
    const { numAffectedRows } = await sql`
      INSERT INTO population.residence (person_id, since, registered_division, living_division, category, evidence, recorded_run)
      SELECT d.person_id, greatest(d.since, k.until), d.registered_division, d.living_division, d.category, d.evidence, ${runId}
      FROM new_residence d
      LEFT JOIN (SELECT r.person_id, max(r.until) AS until, bool_or(r.until IS NULL) AS is_open
                 FROM new_residence n JOIN population.residence r USING (person_id) GROUP BY r.person_id) k USING (person_id)
      WHERE k.is_open IS NOT TRUE
      ORDER BY d.person_id`.execute(tx);
    return Number(numAffectedRows ?? 0);
  };
  const table = 'population.residence';
  if (await isEmpty(tx, table)) await loadUnindexed(tx, table, open);
  else await refreshStatistics(tx, table, await open());
}

/** The next day on which a sign begins, has lasted half a year, or stops to speak. */
async function setRevisits(tx: Transaction<DB>, { asOf }: PictureDay): Promise<void> {
  const ifComes = (day: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`CASE WHEN ${day} > ${asOf}::date THEN ${day} END`;
  await sql`
    WITH next AS (
      SELECT person_id, min(least(${ifComes(sql`since`)}, ${ifComes(sql`half_year_on`)}, ${ifComes(sql`speaks_until + 1`)})) AS revisit_on
      FROM place_sign GROUP BY person_id)
    UPDATE population.standing t SET revisit_on = n.revisit_on
    FROM touched_person p LEFT JOIN next n USING (person_id)
    WHERE t.person_id = p.person_id AND t.revisit_on IS DISTINCT FROM n.revisit_on`.execute(tx);
}
