import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { sharedOut } from '../schema/warehouse/bulk.ts';
import { bringTable } from './bring.ts';
import { judgeContested } from './judge.ts';
import { forEachAttribute, numberTells, statementsIn } from './statements.ts';
import { ATTRIBUTES, type Attribute, type Survivorship, THE_NUMBER } from './survivorship.ts';

interface Profiling {
  /** Which value is the best; docs/profile.md */
  readonly survivorship: Survivorship;
  /** Whether everybody is touched. */
  readonly isFirst: boolean;
}

/**
 * Brings the profiles of the touched persons to what their records say now.
 *
 * Before: temporary tables `touched_person` and `touched_mention` stand. After: population.person
 * has the best value of each attribute of every touched person that a record names, with the feed that it comes from,
 * and population.disagreement the values that were not kept; a touched person that no record names has no row. Rows
 * are written only where they differ.
 */
export async function updateProfiles(tx: Transaction<DB>, profiling: Profiling): Promise<void> {
  const { survivorship } = profiling;
  await summariseStatements(tx, profiling);
  await judgeContested(tx, survivorship);
  await composeProfiles(tx, survivorship);
  await bringTable(tx, {
    table: 'population.person',
    draft: 'profile',
    persons: 'touched_person',
    key: [],
    values: [...ATTRIBUTES, 'is_local', 'source', 'other_sources'],
  });
  await composeDisagreements(tx);
  await bringTable(tx, {
    table: 'population.disagreement',
    draft: 'contradiction',
    persons: 'touched_person',
    key: ['attribute', 'value'],
    values: ['feeds'],
  });
}

/** For every feed which place it has, in general and for each attribute. */
function trustPlaces({ trust, attributes }: Survivorship): RawBuilder<unknown> {
  const placeIn = (feeds: readonly string[], feed: string): RawBuilder<unknown> =>
    feeds.includes(feed) ? sql.lit(feeds.indexOf(feed) + 1) : sql`NULL::integer`;
  const rows = trust.map(
    (feed) =>
      sql`(${sql.lit(feed)}, ${placeIn(trust, feed)}, ${forEachAttribute((attribute) => placeIn(attributes[attribute].trust, feed))})`,
  );
  return sql`(VALUES ${sql.join(rows)}) AS t (feed, place, ${forEachAttribute((attribute) => sql.id(attribute))})`;
}

/** The smallest and the greatest value, and the place of the best feed that gives one. */
function spread(attribute: Attribute): RawBuilder<unknown> {
  const given =
    attribute === 'marital_status'
      ? sql`coalesce(s.marital_status, s.civil_status)`
      : sql`s.${sql.id(attribute)}`;
  return sql`
    min(s.${sql.id(attribute)}) AS ${sql.id(attribute)},
    max(s.${sql.id(attribute)}) AS ${sql.id(`other_${attribute}`)},
    min(CASE WHEN ${given} IS NOT NULL THEN t.${sql.id(attribute)} END) AS ${sql.id(`${attribute}_place`)}`;
}

/**
 * Of everybody the server's processes share the work, which they do only where no table is temporary.
 *
 * After: temporary table `summary` has a row for each touched person that a record names. Where `is_contested` is
 * false, all that is said agrees: each attribute is the value and the place of the best feed that gives it.
 */
async function summariseStatements(tx: Transaction<DB>, { survivorship, isFirst }: Profiling): Promise<void> {
  const differ = ATTRIBUTES.map((name) => sql`${sql.id(name)} <> ${sql.id(`other_${name}`)}`);
  const summary = sql`
    CREATE TEMPORARY TABLE summary ON COMMIT DROP AS
    SELECT d.*, coalesce(has_odd_number OR civil_status <> coalesce(marital_status, '')
             OR birth_date <> number_birth_date OR sex <> number_sex OR ${sql.join(differ, sql` OR `)}, false) AS is_contested
    FROM (SELECT a.*, ${numberTells(sql`id_number`)} FROM (
      SELECT s.person_id, min(t.place) AS source_place, bool_or(s.is_local) AS is_local,
             bool_or(s.odd_number IS NOT NULL) AS has_odd_number,
             right(max(s.wedding || s.civil_status), 2) AS civil_status, ${forEachAttribute(spread)}
      FROM ${statementsIn(isFirst ? sql`identity.link` : sql`touched_mention`)} s JOIN ${trustPlaces(survivorship)} USING (feed)
      GROUP BY s.person_id) a) d`;
  if (isFirst) await sharedOut(tx, '1MB', summary);
  else await summary.execute(tx);
  await sql`ANALYZE summary (person_id, is_contested)`.execute(tx);
}

/**
 * Before: `summary`, and `verdict` for the contested. After: temporary table `profile` has the rows of the touched
 * persons as they should stand in population.person.
 */
async function composeProfiles(tx: Transaction<DB>, { trust, attributes }: Survivorship): Promise<void> {
  const feedOf = (attribute: Attribute, place: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`(${attributes[attribute].trust}::text[])[${place}]`;
  const placeFeed = (attribute: Attribute): RawBuilder<unknown> =>
    feedOf(attribute, sql.id(`${attribute}_place`));
  const agreed = (attribute: Attribute): RawBuilder<unknown> => {
    if (attribute === 'birth_date') return sql`coalesce(s.birth_date, s.number_birth_date)`;
    if (attribute === 'sex') return sql`coalesce(s.sex, s.number_sex)`;
    return sql`s.${sql.id(attribute)}`;
  };
  const kept = (attribute: Attribute): RawBuilder<unknown> =>
    attribute.endsWith('_date') ? sql`k.${sql.id(attribute)}::date` : sql`k.${sql.id(attribute)}`;
  const place = (attribute: Attribute): RawBuilder<unknown> => {
    const own = sql.id(`${attribute}_place`);
    const fallback =
      attribute === 'birth_date' || attribute === 'sex'
        ? sql`CASE WHEN s.${sql.id(`number_${attribute}`)} IS NOT NULL THEN ${attributes[attribute].trust.indexOf(THE_NUMBER) + 1}::integer END`
        : sql`NULL::integer`;
    return sql`CASE WHEN s.is_contested THEN k.${own} ELSE coalesce(s.${own}, ${fallback}) END`;
  };
  await sql`
    CREATE TEMPORARY TABLE profile ON COMMIT DROP AS
    SELECT person_id, ${forEachAttribute((attribute) => sql.id(attribute))}, is_local, source,
           CASE WHEN ${sql.join(
             ATTRIBUTES.map((attribute) => sql`${placeFeed(attribute)} <> source`),
             sql` OR `,
           )} THEN jsonb_strip_nulls(jsonb_build_object(${forEachAttribute(
             (attribute) => sql`${sql.lit(attribute)}, nullif(${placeFeed(attribute)}, source)`,
           )})) END AS other_sources
    FROM (
      SELECT s.person_id, s.is_local, (${trust}::text[])[s.source_place] AS source,
             ${forEachAttribute(
               (attribute) => sql`
               CASE WHEN s.is_contested THEN ${kept(attribute)} ELSE ${agreed(attribute)} END AS ${sql.id(attribute)},
               ${place(attribute)} AS ${sql.id(`${attribute}_place`)}`,
             )}
      FROM summary s
      LEFT JOIN (
        SELECT person_id, ${forEachAttribute(
          (attribute) => sql`
          max(value) FILTER (WHERE attribute = ${sql.lit(attribute)}) AS ${sql.id(attribute)},
          max(place) FILTER (WHERE attribute = ${sql.lit(attribute)}) AS ${sql.id(`${attribute}_place`)}`,
        )}
        FROM verdict WHERE is_kept GROUP BY person_id) k USING (person_id)) chosen`.execute(tx);
  await sql`ANALYZE profile (person_id)`.execute(tx);
}

/** Before: `verdict` stands. After: temporary table `contradiction` has the values that are not kept. */
async function composeDisagreements(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE contradiction ON COMMIT DROP AS
    SELECT person_id, attribute, value, feeds FROM verdict WHERE NOT is_kept`.execute(tx);
  await sql`ANALYZE contradiction`.execute(tx);
}
