import { sql, type Transaction } from 'kysely';
import { asCurrentRun } from '../../ingest/current-run.ts';
import type { DB } from '../../schema/database.ts';
import type { RunId } from '../../schema/ids.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { tidyTallies } from './tallies.ts';

const CHANGED_SHARE = 0.05;

/**
 * What the cases need once in each night, before its first rule: the planner knows what rules read, cases follow
 * their persons, and the books of the tallies are tidied. Called again for the same run, it does nothing.
 *
 * @throws STALE_WORKER
 */
export async function beginNight(warehouse: Warehouse, runId: RunId): Promise<void> {
  const begun = await sql`SELECT FROM anomalies.night WHERE run_id = ${runId}`.execute(warehouse.db);
  if (begun.rows.length > 0) return;
  await asCurrentRun({ warehouse, runId }, async (tx) => {
    // Rules begin side by side: the second waits here for the first.
    const mine = await sql`
      INSERT INTO anomalies.night (run_id) VALUES (${runId}) ON CONFLICT DO NOTHING RETURNING run_id`.execute(
      tx,
    );
    if (mine.rows.length === 0) return;
    await refreshStatistics(tx);
    const { rows } = await sql<{ since: number }>`
      SELECT coalesce(max(run_id), 0) AS since FROM anomalies.night WHERE run_id <> ${runId}`.execute(tx);
    await followPersons(tx, rows[0]?.since ?? 0);
    await tidyTallies(tx);
  });
}

/**
 * Brings the planner's statistics up to date where much has changed. The server does so by itself, but a minute
 * late: after a first load it may know the mentions of the first feed only, and plan a rule as if others had none.
 */
async function refreshStatistics(tx: Transaction<DB>): Promise<void> {
  const { rows } = await sql<{ schema: string; name: string }>`
    SELECT schemaname AS schema, relname AS name FROM pg_stat_user_tables
    WHERE schemaname IN ('identity', 'registry', 'population')
      -- Whoever fills these knows them anew.
      AND relname NOT IN ('touched_mention', 'related_mention') AND n_mod_since_analyze > ${CHANGED_SHARE}::float * n_live_tup
    ORDER BY schemaname, relname`.execute(tx);
  for (const { schema, name } of rows) await sql`ANALYZE ${sql.id(schema, name)}`.execute(tx);
}

/**
 * A mention can go to another person although its record has not changed, and its rules may then not look at it
 * again: cases of persons that were merged, split or moved take the person of their record's mention, or, without
 * one, that which theirs was merged into.
 */
async function followPersons(tx: Transaction<DB>, since: number): Promise<void> {
  await sql`
    WITH touched AS (
      SELECT person_id FROM identity.person_event WHERE run_id > ${since} AND kind <> 'created'
      UNION
      SELECT other_person_id FROM identity.person_event
      WHERE run_id > ${since} AND kind <> 'created' AND other_person_id IS NOT NULL),
    stale AS (
      SELECT a.anomaly_id, coalesce(l.person_id, p.merged_into) AS person_id
      FROM touched t
      JOIN anomalies.anomaly a USING (person_id)
      JOIN identity.person p USING (person_id)
      LEFT JOIN identity.mention m ON m.source_key = a.source_key AND m.role = a.role AND m.feed = a.feed
      LEFT JOIN identity.link l ON l.mention_id = m.mention_id
      WHERE coalesce(l.person_id, p.merged_into) <> a.person_id
      ORDER BY a.anomaly_id FOR UPDATE OF a)
    UPDATE anomalies.anomaly a SET person_id = s.person_id FROM stale s WHERE a.anomaly_id = s.anomaly_id`.execute(
    tx,
  );
}
