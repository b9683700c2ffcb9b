import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';

/**
 * Makes `insured`, once a night: one row for each person whom the social insurance names. Several indicators ask for
 * it, and the register is the largest of all.
 *
 * | column | meaning |
 * |---|---|
 * | person_id | |
 * | has_cover | insured under any kind |
 * | has_pension | pension insurance of employees (110) or residents (170): insured, or drawing the pension |
 * | has_health | health insurance of employees (310) or residents (390) |
 * | draws_benefit | draws a benefit of any kind |
 * | is_checked | one of the records that draw it is linked to other records of the person |
 */
export async function createInsured(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE insured ON COMMIT DROP AS
    SELECT l.person_id, coalesce(bool_or(r.status = '1'), false) AS has_cover,
           coalesce(bool_or(r.insurance_kind IN ('110', '170') AND (r.status = '1' OR r.benefit_status = '1')), false) AS has_pension,
           coalesce(bool_or(r.insurance_kind IN ('310', '390') AND r.status = '1'), false) AS has_health,
           coalesce(bool_or(r.benefit_status = '1'), false) AS draws_benefit,
           coalesce(bool_or(r.benefit_status = '1' AND l.method NOT IN ('single', 'name_conflict')), false) AS is_checked
    FROM registry.social_insurance r
    JOIN identity.mention m ON m.source_key = r.source_key AND m.feed = 'social_insurance' AND m.active
    JOIN identity.link l USING (mention_id)
    GROUP BY l.person_id`.execute(tx);
  await sql`ANALYZE insured`.execute(tx);
}
