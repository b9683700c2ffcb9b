import { CompiledQuery, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { messageWithoutValues } from '../../schema/failure.ts';
import type { Indicator, IndicatorDay } from './indicator-file.ts';

/** What came of the SELECTs of a night. */
interface Computed {
  /** The codes of those that ran. */
  readonly computed: readonly string[];
  /** What went wrong with the others, naming their files. */
  readonly failures: readonly string[];
}

/**
 * Runs the SELECT of each indicator, once for all divisions.
 *
 * After: temporary table `figure` has a row for each figure. `block` names what is shown with it or not at all, `parts`
 * are the numbers of persons that it tells; NULL when it tells of none. A figure without a value has nobody to speak of.
 *
 * Before: the tables of presence.ts, events.ts and counts.ts.
 */
export async function computeFigures(
  tx: Transaction<DB>,
  indicators: readonly Indicator[],
  day: IndicatorDay,
): Promise<Computed> {
  await sql`
    CREATE TEMPORARY TABLE figure (
      code text COLLATE "C", series text COLLATE "C", division text COLLATE "C", value double precision,
      numerator double precision, denominator double precision, block text COLLATE "C", parts double precision[])
    ON COMMIT DROP`.execute(tx);
  const computed: string[] = [];
  const failures: string[] = [];
  for (const indicator of indicators) {
    const failure = await compute(tx, indicator, day);
    if (failure === null) computed.push(indicator.indicator);
    else failures.push(failure);
  }
  return { computed, failures };
}

/**
 * Runs an indicator's SELECT into `figure`. Values are kept to nine significant digits: sums of decimals that were
 * added in another order are the same figure.
 *
 * @returns what went wrong, naming the file; null when nothing did
 */
async function compute(tx: Transaction<DB>, indicator: Indicator, day: IndicatorDay): Promise<string | null> {
  const { indicator: code, select, series, block_by: blockBy, block = code } = indicator;
  const rounded = (column: string): string =>
    `CASE WHEN ${column} = 0 THEN 0 ELSE round(${column}::numeric, 8 - floor(log(abs(${column}::numeric)))::integer) END::float8`;
  const text = `
    INSERT INTO figure
    SELECT '${code}', ${series === undefined ? `''` : 'r.series::text'}, r.division, ${rounded('r.value')},
           r.numerator::float8, r.denominator::float8,
           '${block}' ${blockBy === undefined ? '' : `|| ' ' || r.${blockBy}`}, ${partsOf(indicator)}
    FROM (${select}) r`;
  await sql`SAVEPOINT indicator`.execute(tx);
  try {
    await tx.executeQuery(CompiledQuery.raw(text, [...indicator.bind(day)]));
    await sql`RELEASE SAVEPOINT indicator`.execute(tx);
    return null;
  } catch (error) {
    await sql`ROLLBACK TO SAVEPOINT indicator`.execute(tx);
    return `${indicator.file}: ${messageWithoutValues(error)}`;
  }
}

/** The numbers of persons that a figure tells, as an array; NULL when it tells of none. */
function partsOf({ form, parts }: Indicator): string {
  const named = parts?.map((name) => `r.${name}`);
  const byForm: Record<Indicator['form'], readonly string[] | null> = {
    count: ['r.value'],
    share: ['r.numerator', 'r.denominator - r.numerator'],
    ratio: ['r.numerator', 'r.denominator'],
    mean: ['r.denominator'],
    records: null,
  };
  const persons = named ?? byForm[form];
  return persons === null ? 'NULL' : `ARRAY[${persons.join(', ')}]::float8[]`;
}
