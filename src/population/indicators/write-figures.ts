import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { RunId } from '../../schema/ids.ts';
import type { Indicator } from './indicator-file.ts';

/**
 * Brings population.indicator_value to the figures of the night: rows that went are deleted, rows that differ are
 * written, new ones are added. What is as it was is not written.
 *
 * Before: `figure`, and `hidden_figure` (block, division).
 *
 * @param judged the codes of which `figure` has all figures that there are
 * @param asOf YYYY-MM-DD; its month is the period
 */
export async function writeFigures(
  tx: Transaction<DB>,
  runId: RunId,
  { indicators, judged, asOf }: { indicators: readonly Indicator[]; judged: readonly string[]; asOf: string },
): Promise<void> {
  const period = asOf.slice(0, 7);
  const units = JSON.stringify(indicators.map(({ indicator, unit }) => ({ code: indicator, unit })));
  await sql`
    CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
    WITH night AS (
      SELECT f.code, f.series, f.division, f.value, f.numerator, f.denominator, u.unit,
             f.parts IS NOT NULL AND (f.value IS NULL OR h.division IS NOT NULL) AS suppressed
      FROM figure f JOIN jsonb_to_recordset(${units}::jsonb) AS u (code text, unit text) USING (code)
      LEFT JOIN hidden_figure h USING (block, division)
      WHERE f.value IS NOT NULL OR f.parts IS NOT NULL),
    known AS (
      SELECT * FROM population.indicator_value WHERE period = ${period} AND code = ANY (${judged}::text[]))
    SELECT code, series, division, n.value, n.numerator, n.denominator, n.unit, n.suppressed
    FROM night n FULL JOIN known v USING (code, series, division)
    WHERE (v.value, v.numerator, v.denominator, v.unit, v.suppressed)
          IS DISTINCT FROM (n.value, n.numerator, n.denominator, n.unit, n.suppressed)`.execute(tx);
  await sql`
    DELETE FROM population.indicator_value v USING difference d
    WHERE d.unit IS NULL AND v.period = ${period} AND (v.code, v.division, v.series) = (d.code, d.division, d.series)`.execute(
    tx,
  );
  await sql`
    INSERT INTO population.indicator_value
      (code, series, division, period, value, numerator, denominator, unit, suppressed, as_of, run_id)
    SELECT code, series, division, ${period}, value, numerator, denominator, unit, suppressed, ${asOf}::date, ${runId}
    FROM difference WHERE unit IS NOT NULL
    ON CONFLICT (period, code, division, series) DO UPDATE SET
      value = excluded.value, numerator = excluded.numerator, denominator = excluded.denominator,
      unit = excluded.unit, suppressed = excluded.suppressed, as_of = excluded.as_of, run_id = excluded.run_id`.execute(
    tx,
  );
  await sql`
    INSERT INTO population.indicator_period AS known (period, as_of, run_id) VALUES (${period}, ${asOf}::date, ${runId})
    ON CONFLICT (period) DO UPDATE SET as_of = excluded.as_of, run_id = excluded.run_id
      WHERE known.as_of < excluded.as_of`.execute(tx);
}
