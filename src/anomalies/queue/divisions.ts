import { sql } from 'kysely';
import { PopshareError } from '../../schema/errors.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { type DivisionScope, divisionPrefix } from './filter.ts';

/**
 * Whether there is a division, in the table or, where it is none of today's, with some case.
 *
 * @throws CASE_INPUT naming what there is nearby
 */
export async function requireDivision(warehouse: Queryable, division: DivisionScope): Promise<void> {
  const prefix = divisionPrefix(division);
  // The codes that begin with it, as a range of digits: by index.
  const end = `${prefix}:`;
  const { rows } = await sql`
    SELECT FROM reference.division WHERE code >= ${prefix} AND code < ${end}
    UNION ALL SELECT FROM anomalies.anomaly WHERE division >= ${prefix} AND division < ${end} LIMIT 1`.execute(
    warehouse.db,
  );
  if (rows.length === 0)
    throw new PopshareError(
      'CASE_INPUT',
      `there is no division ${division}; ${await nearTo(warehouse, prefix)}`,
    );
}

/**
 * Whether there is a village.
 *
 * @param village 12 digits, or whatever else somebody gave
 * @throws FIELD_CHECK naming what there is nearby
 */
export async function requireVillage(warehouse: Queryable, village: string): Promise<void> {
  const { rows } = await sql`
    SELECT FROM reference.division WHERE code = ${village} AND level = 'village'`.execute(warehouse.db);
  if (rows.length === 0)
    throw new PopshareError(
      'FIELD_CHECK',
      `there is no village ${village}; ${await nearTo(warehouse, village)}`,
    );
}

/** What there is in the lowest division above a code that there is not: in the township, or in the county. */
async function nearTo({ db }: Queryable, code: string): Promise<string> {
  const above = [9, 6].filter((digits) => digits < code.length).map((digits) => code.slice(0, digits));
  const { rows } = await sql<{ parent: string; children: string }>`
    SELECT parent, string_agg(code || ' ' || name, ', ' ORDER BY code) AS children
    FROM reference.division
    WHERE parent = ANY (${above.map((digits) => digits.padEnd(12, '0'))})
       OR (level = 'county' AND NOT EXISTS (
             SELECT FROM reference.division c WHERE c.level = 'county' AND starts_with(${code}, left(c.code, 6))))
    GROUP BY parent ORDER BY parent DESC LIMIT 1`.execute(db);
  const [near] = rows;
  return near === undefined ? 'the table of divisions is empty' : `${near.parent} has ${near.children}`;
}
