import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { bringTable } from './bring.ts';
import type { PictureDay } from './sign-kinds.ts';

/** Months of which identity.residency tells the signs. */
const MONTHS_TOLD = 24;

/**
 * Brings the residency index of Tiit and Maasing (Residency index and its applications in censuses and population
 * statistics, Eesti Statistika. Kvartalikiri 3/2016):
 *
 *     R(k) = min(1, d * R(k-1) + g * sum of w * sign(k))
 *
 * over periods of twelve months counted back from the night's month, and informative kinds alone: many kinds that
 * tell next to nothing would add up to something. A person enters with R = 1: in the period of
 * the first informative sign (as births and immigrants do there), or, registered without any, in that of the birth
 * or the moving in, at the latest when the counting begins. Who is reported to have left enters with the first
 * informative sign that begins after that. Who never enters has the index 0. A registered minor without an
 * informative sign has the index of the household's adults.
 *
 * Before: signs and weights are brought. After: identity.residency has every living person that is registered or gave
 * a sign; `index_moved` the persons, beside the touched, whose index has crossed the threshold.
 *
 * @param persons a table of the persons to be brought
 */
export async function updateResidencyIndex(
  tx: Transaction<DB>,
  day: PictureDay,
  persons: 'touched_person' | 'everybody',
): Promise<void> {
  await createPeriodSums(tx, day, persons);
  await createIndexes(tx, day);
  const { threshold } = day.settings.index;
  await sql`
    CREATE TEMPORARY TABLE index_moved ON COMMIT DROP AS
    SELECT person_id FROM new_residency d LEFT JOIN identity.residency s USING (person_id)
    WHERE (s.index >= ${threshold}) IS DISTINCT FROM (d.index >= ${threshold})
      AND NOT EXISTS (SELECT FROM touched_person t WHERE t.person_id = d.person_id)`.execute(tx);
  await bringTable(tx, {
    table: 'identity.residency',
    draft: 'new_residency',
    persons,
    key: [],
    values: ['index', 'as_of', 'signs'],
  });
}

/** Months from a date to the night's month; negative for later dates. */
function monthsAgo(date: RawBuilder<unknown>, asOf: string): RawBuilder<unknown> {
  const [year = 0, month = 0] = asOf.split('-').map(Number);
  return sql`(${sql.lit(year * 12 + month)} - (date_part('year', ${date}) * 12 + date_part('month', ${date}))::integer)`;
}

/** The bits first … last of a whole number, at most `width` of them; 0 is the present. */
const bits = (
  first: RawBuilder<unknown>,
  last: RawBuilder<unknown>,
  width: number,
): RawBuilder<unknown> => sql`
  CASE WHEN ${first} < ${width} THEN (2 << least(${last}, ${width} - 1)) - (1 << ${first}) ELSE 0 END`;

/**
 * After: temporary table `period_sum` has for each person the weights of each period, added up, the entry, and what
 * identity.residency tells of the signs.
 */
async function createPeriodSums(
  tx: Transaction<DB>,
  day: PictureDay,
  persons: 'touched_person' | 'everybody',
): Promise<void> {
  const { periods } = day.settings.index;
  const sums = periodNumbers(periods).map(
    (period) =>
      sql`sum(weight * ((periods >> ${sql.lit(period)}) & 1)) FILTER (WHERE informative) AS ${sql.id(`x${period}`)}`,
  );
  // The entry of a registered person without an informative sign.
  const periodsAgo = (date: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`greatest(0, coalesce(${monthsAgo(date, day.asOf)} / 12, ${periods}))`;
  const registered = sql`
    CASE WHEN t.registered_key IS NOT NULL AND t.left_on IS NULL
         THEN least(${periods} - 1, ${periodsAgo(sql`t.birth_date`)}, ${periodsAgo(sql`t.moved_in_on`)}) END`;
  // Text is put together in a fraction of the time that jsonb takes, and read once a person.
  await sql`
    CREATE TEMPORARY TABLE period_sum ON COMMIT DROP AS
    SELECT t.person_id, coalesce(k.entry, ${registered}) AS entry, coalesce(k.has_sign, false) AS has_sign,
           ${sql.join(periodNumbers(periods).map((period) => sql`coalesce(k.${sql.id(`x${period}`)}, 0) AS ${sql.id(`x${period}`)}`))},
           coalesce(('{' || k.signs || '}')::jsonb, '{}') AS signs
    FROM ${persons === 'everybody' ? sql`population.standing t` : sql`touched_person JOIN population.standing t USING (person_id)`}
    LEFT JOIN (
      SELECT person_id, max(oldest) FILTER (WHERE informative) AS entry,
             bool_or(informative AND periods > 0) AS has_sign, ${sql.join(sums)},
             string_agg(told || bit_count(months::bit(32)) || '}', ',') FILTER (WHERE months > 0) AS signs
      FROM ${kindPeriods(day, persons)} kind_period
      GROUP BY person_id) k USING (person_id)
    WHERE t.registered_key IS NOT NULL OR k.person_id IS NOT NULL`.execute(tx);
  await sql`ANALYZE period_sum (person_id)`.execute(tx);
}

/**
 * For each person and kind, in their order, the periods with a sign as bits (bit 0 the latest), the oldest of them, the
 * months, the weight of the kind, and what is told of it but the number of months.
 */
function kindPeriods(
  { asOf, settings }: PictureDay,
  persons: 'touched_person' | 'everybody',
): RawBuilder<unknown> {
  const { periods } = settings.index;
  const last = sql`${monthsAgo(sql`s.since`, asOf)}`;
  const first = sql`greatest(0, ${monthsAgo(sql`least(coalesce(s.until, ${asOf}::date), ${asOf}::date)`, asOf)})`;
  const standing =
    persons === 'everybody'
      ? sql`population.standing t`
      : sql`touched_person JOIN population.standing t USING (person_id)`;
  // In order, so that nothing is hashed and one person's signs at a time are held; OFFSET 0 lets the months be counted
  // once a sign, not once wherever they are used.
  return sql`(
    SELECT person_id, kind,
           bit_or(CASE WHEN counts THEN ${bits(sql`first / 12`, sql`last / 12`, periods)} ELSE 0 END) AS periods,
           max(least(last / 12, ${periods} - 1)) FILTER (WHERE counts AND first / 12 < ${periods}) AS oldest,
           bit_or(${bits(sql`first`, sql`last`, MONTHS_TOLD)}) AS months,
           min(weight) AS weight, bool_or(informative) AS informative, min(told) AS told
    FROM (SELECT s.person_id, s.kind, ${first} AS first, ${last} AS last,
                 t.left_on IS NULL OR s.since > t.left_on AS counts, w.weight, w.informative, w.told
          FROM ${standing} JOIN population.sign s USING (person_id)
          JOIN (SELECT kind, weight, informative, to_json(kind) || ':{"weight":' || weight || ',"months":' AS told
                FROM population.sign_weight) w USING (kind)
          WHERE s.since <= ${asOf}::date ORDER BY s.person_id, s.kind OFFSET 0) s
    GROUP BY person_id, kind)`;
}

/** After: temporary table `new_residency` is what identity.residency should say. */
async function createIndexes(tx: Transaction<DB>, { asOf, settings }: PictureDay): Promise<void> {
  const month = sql`date_trunc('month', ${asOf}::date)::date`;
  const isMinor = sql`t.birth_date > ${month} - interval '18 years'`;
  await sql`
    CREATE TEMPORARY TABLE new_residency ON COMMIT DROP AS
    SELECT x.person_id, round((${recursion(settings)})::numeric, 4)::float8 AS index, ${month} AS as_of, x.signs,
           t.household_number, coalesce(${isMinor}, false) AS is_minor,
           ${isMinor} AND NOT x.has_sign AND t.registered_key IS NOT NULL AND t.left_on IS NULL AS leans
    FROM period_sum x JOIN population.standing t USING (person_id)`.execute(tx);
  await sql`
    UPDATE new_residency c SET index = a.index
    FROM (SELECT household_number, max(index) AS index FROM new_residency
          WHERE NOT is_minor AND household_number IS NOT NULL GROUP BY household_number) a
    WHERE c.leans AND a.household_number = c.household_number`.execute(tx);
  await sql`ANALYZE new_residency (person_id)`.execute(tx);
}

/** R(k) from the oldest period to the latest, as one expression: null before the entry, 1 at the entry. */
function recursion({ index: { periods, stability, growth } }: PictureDay['settings']): RawBuilder<unknown> {
  const latest = periodNumbers(periods).reduceRight<RawBuilder<unknown>>(
    (before, period) => sql`
      CASE WHEN x.entry = ${sql.lit(period)} THEN 1
           ELSE least(1, ${sql.lit(stability)} * ${before} + ${sql.lit(growth)} * ${sql.id('x', `x${period}`)}) END`,
    sql`NULL::float8`,
  );
  return sql`coalesce(CASE WHEN x.entry IS NOT NULL THEN ${latest} END, 0)`;
}

function periodNumbers(periods: number): number[] {
  return Array.from({ length: periods }, (_, period) => period);
}
