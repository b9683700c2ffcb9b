import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { Progress } from './touched.ts';

/**
 * Brings population.register_division: the divisions in which the household register has records, whatever their state,
 * and how many.
 *
 * After: temporary table `moved_division` has the divisions that came or went since the last picture: rules that ask
 * whether somebody is registered in a division of the register have to look again at who is registered there.
 */
export async function updateRegisterDivisions(
  tx: Transaction<DB>,
  { updatedRun, updatedAt }: Progress,
): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE moved_division (division text COLLATE "C" PRIMARY KEY) ON COMMIT DROP`.execute(tx);
  const delivered = await sql`
    SELECT FROM ops.delivery
    WHERE feed = 'household_register' AND status = 'applied' AND new + changed + removed > 0
      AND (${updatedRun}::bigint = 0 OR applied_at > ${updatedAt}::timestamptz) LIMIT 1`.execute(tx);
  if (delivered.rows.length === 0) return;
  await sql`
    CREATE TEMPORARY TABLE new_register_division ON COMMIT DROP AS
    SELECT registered_division AS division, count(*)::integer AS records FROM registry.household_register GROUP BY 1`.execute(
    tx,
  );
  await sql`
    WITH gone AS (
      DELETE FROM population.register_division d
      WHERE NOT EXISTS (SELECT FROM new_register_division n WHERE n.division = d.division) RETURNING division),
    come AS (
      SELECT division FROM new_register_division n
      WHERE NOT EXISTS (SELECT FROM population.register_division d WHERE d.division = n.division))
    INSERT INTO moved_division SELECT division FROM gone UNION SELECT division FROM come`.execute(tx);
  await sql`
    INSERT INTO population.register_division AS d SELECT division, records FROM new_register_division
    ON CONFLICT (division) DO UPDATE SET records = excluded.records WHERE d.records <> excluded.records`.execute(
    tx,
  );
}
