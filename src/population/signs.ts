import { type RawBuilder, sql, type Transaction } from 'kysely';
import { CONTRACTS } from '../schema/contracts/index.ts';
import type { DB } from '../schema/database.ts';
import { bringTable } from './bring.ts';
import { type PictureDay, RECORDED_SIGNS, SPOUSE } from './sign-kinds.ts';

/** The feeds whose records name several persons. */
const FEEDS_OF_SEVERAL = new Set(
  CONTRACTS.filter(({ mentions }) => mentions.length > 1).map(({ feed }) => feed),
);

/** What a spouse must show to speak for the other. */
const SPOUSE_SHOWS = ['pension_paid', 'medical_paid', 'residence_registered', 'trader'];

/**
 * Brings the signs of life of the touched: one row for each record that shows life in the county, from when to when.
 *
 * Before: `touched_mention` and `new_standing`, and relations are those of tonight. After: population.sign has the signs of whoever stands; a sign may
 * begin in the future (a lease) and then counts from that day.
 */
export async function updateSigns(tx: Transaction<DB>, day: PictureDay): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE new_sign (LIKE population.sign) ON COMMIT DROP`.execute(tx);
  for (const { kind, feed, select } of RECORDED_SIGNS) await addSigns(tx, kind, feed, select(day));
  await sql`ANALYZE new_sign (person_id, kind)`.execute(tx);
  await addSigns(tx, SPOUSE, 'household_register', signsOfSpouse());
  await bringTable(tx, {
    table: 'population.sign',
    draft: 'new_sign',
    persons: 'touched_person',
    key: ['kind', 'source_key'],
    values: ['feed', 'since', 'until', 'division'],
  });
}

/**
 * One person may stand in two roles of one record: that is one sign. OFFSET 0 lets days be told of the records of the
 * touched alone, not of all.
 */
async function addSigns(
  tx: Transaction<DB>,
  kind: string,
  feed: string,
  select: RawBuilder<unknown>,
): Promise<void> {
  await sql`
    INSERT INTO new_sign (person_id, kind, feed, source_key, since, until, division)
    SELECT ${FEEDS_OF_SEVERAL.has(feed) ? sql`DISTINCT` : sql``} g.person_id, ${kind}, ${feed}, g.source_key, g.since, g.until, g.division
    FROM (${select} OFFSET 0) g JOIN new_standing USING (person_id)
    WHERE g.since IS NOT NULL AND (g.until IS NULL OR g.until >= g.since)`.execute(tx);
}

/** Of couples in one household: whoever is touched, the others of the household are too. */
function signsOfSpouse(): RawBuilder<unknown> {
  return sql`
    SELECT r.person_id, 'person ' || r.other_person_id AS source_key, min(s.since) AS since,
           CASE WHEN bool_and(s.until IS NOT NULL) THEN max(s.until) END AS until, NULL AS division
    FROM population.relation r JOIN new_sign s ON s.person_id = r.other_person_id
    WHERE r.kind = 'spouse' AND r.source = 'household_register' AND s.kind IN (${sql.join(SPOUSE_SHOWS)})
    GROUP BY r.person_id, r.other_person_id`;
}
