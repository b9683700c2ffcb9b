import { sql } from 'kysely';
import { PopshareError } from '../schema/errors.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';

/** One person named by a record: how officers and scripts point at a mention. */
export interface MentionName {
  readonly feed: string;
  readonly sourceKey: string;
  readonly role: string;
}

/**
 * The id of a mention that stands.
 *
 * @param role may be left out where the record names one person
 * @throws MENTION_UNKNOWN
 */
export async function findMention(
  warehouse: Warehouse,
  { feed, sourceKey, role }: Omit<MentionName, 'role'> & { readonly role?: string | undefined },
): Promise<number> {
  const { rows } = await sql<{ mention_id: number; role: string }>`
    SELECT mention_id, role FROM identity.mention
    WHERE source_key = ${sourceKey} AND feed = ${feed} AND active AND (${role ?? null}::text IS NULL OR role = ${role ?? null})
    ORDER BY role`.execute(warehouse.db);
  const [mention, other] = rows;
  if (mention === undefined)
    throw new PopshareError('MENTION_UNKNOWN', `${feed} has no such record, or nobody in this role`);
  if (other !== undefined) {
    const roles = rows.map((row) => row.role).join(', ');
    throw new PopshareError('MENTION_UNKNOWN', `the record names several persons; give the role: ${roles}`);
  }
  return mention.mention_id;
}
