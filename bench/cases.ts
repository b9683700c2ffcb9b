import { sql } from 'kysely';
import { PRIORITY } from '../src/anomalies/queue/order.ts';
import { foldTallies } from '../src/anomalies/queue/tallies.ts';
import type { Warehouse } from '../src/schema/warehouse/connect.ts';

/**
 * Open cases of 40 rules on 12 feeds in 30 townships with 12 villages each, of which one has a quarter of all; three
 * fifths of them opened in the first night and the others over the 90 nights that followed; a third as many are closed.
 */
export async function fillCases(warehouse: Warehouse, open: number): Promise<void> {
  await sql`
    INSERT INTO anomalies.anomaly (rule, subject, family, severity, status, department, division, feed, source_key, role,
      person_id, first_seen, last_seen, opened_on, due_on, evidence, owner, returned_to, cause)
    SELECT rule, 'subject ' || n, left(rule, 2), severity, status, department,
           CASE WHEN n % 50 = 0 THEN NULL WHEN n % 9973 = 0 THEN '620102001001'
                ELSE '620802' || CASE WHEN n % 4 = 1 THEN '001' ELSE lpad((1 + village % 30)::text, 3, '0') END || lpad((village / 30 % 12)::text, 3, '0') END,
           feed, n::text, 'subject', n * 31 % ${Math.round(open * 0.7)}, opened, opened, opened,
           opened + CASE severity WHEN 'high' THEN 7 WHEN 'medium' THEN 14 ELSE 28 END,
           jsonb_build_object('number', '6208**********' || n % 10000, 'name', '王*', 'expected', '1980-**-**', 'record', n),
           CASE WHEN status = 'assigned' THEN 'officer ' || n % 40 END,
           CASE WHEN status = 'returned' THEN CASE WHEN n % 7 = 0 THEN 'civil-affairs' ELSE department END END, to_char(opened, 'YYYYMMDD') || '.1'
    FROM (
      SELECT n, feed, village, (ARRAY['DQ', 'ID', 'MP', 'FD'])[1 + k % 4] || lpad(k::text, 2, '0') AS rule,
             (ARRAY['high', 'medium', 'low'])[1 + k % 3] AS severity,
             CASE WHEN k % 4 = 0 THEN 'department of ' || feed
                  ELSE (ARRAY['public-security', 'civil-affairs', 'housing', 'human-resources'])[1 + k % 4] END AS department,
             CASE WHEN n % 5 < 3 THEN date '2026-09-01' ELSE date '2026-09-01' + (n / 5 % 90)::int END AS opened,
             CASE WHEN n > ${open} THEN (ARRAY['resolved', 'dismissed'])[1 + n % 2]
                  WHEN n % 9 = 0 THEN 'assigned' WHEN n % 31 = 0 THEN 'returned' ELSE 'new' END AS status
      FROM (
        SELECT n, (hashint8(n) & 1048575) % 40 AS k, hashint8(n + 13) & 1048575 AS village,
               CASE WHEN n % 10007 = 0 THEN 'village_report'
                    ELSE (ARRAY['household_register', 'social_insurance', 'residence_registration', 'housing_lease',
                      'marriage_registration', 'subsistence_allowance'])[1 + (hashint8(n + 7) & 1048575) % 6] END AS feed
        FROM generate_series(1, ${Math.round(open * 1.33)}::bigint) n) numbered) given`.execute(warehouse.db);
  // In the order of days, as nights add them.
  await sql`
    INSERT INTO anomalies.tally_move
      (due_on, priority, lane, department, severity, status, county, town, cause, returned_to, cases)
    SELECT due_on, ${PRIORITY}, lane, department, severity, status, county, town, coalesce(cause, ''),
           coalesce(returned_to, ''), count(*)
    FROM anomalies.anomaly GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10`.execute(warehouse.db);
  await warehouse.db.transaction().execute(foldTallies);
  await sql`
    INSERT INTO anomalies.anomaly_event (anomaly_id, kind, run_id, on_date, evidence, to_status)
    SELECT anomaly_id, 'opened', 1, opened_on, evidence, 'new' FROM anomalies.anomaly`.execute(warehouse.db);
  await sql`VACUUM ANALYZE`.execute(warehouse.db);
}
