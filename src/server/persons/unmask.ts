import { type Kysely, type RawBuilder, sql } from 'kysely';
import { CONTRACTS } from '../../schema/contracts/index.ts';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';

/** The values of a profile that are masked. */
export const MASKED_VALUES = ['id_number', 'name', 'birth_date', 'phone', 'registered_address'] as const;

/** One value of a person: of the profile, or of one of the records that name the person. */
export interface ValueOfPerson {
  readonly personId: number;
  readonly record: 'profile' | { readonly feed: string; readonly key: string };
  readonly field: string;
}

/**
 * One value as it is, of a person in scope.
 *
 * @throws PERSON_UNKNOWN when there is no such person, or no such record of theirs, in scope; REQUEST_INVALID when the
 *   field is none that is masked
 */
export async function readValue(db: Kysely<DB>, asked: ValueOfPerson): Promise<string | null> {
  const { rows } = await sql<{ value: string | null }>`${
    asked.record === 'profile' ? ofProfile(asked) : ofRecord(asked, asked.record)
  }`.execute(db);
  if (rows[0] === undefined)
    throw new PopshareError(
      'PERSON_UNKNOWN',
      `there is no such record of a person ${asked.personId} in scope`,
    );
  return rows[0].value;
}

function ofProfile({ personId, field }: ValueOfPerson): RawBuilder<unknown> {
  const known: readonly string[] = MASKED_VALUES;
  if (!known.includes(field)) throw notMasked();
  return sql`SELECT ${sql.id(field)}::text AS value FROM population.person WHERE person_id = ${personId}`;
}

function ofRecord(
  { personId, field }: ValueOfPerson,
  { feed, key }: { readonly feed: string; readonly key: string },
): RawBuilder<unknown> {
  const contract = CONTRACTS.find((candidate) => candidate.feed === feed);
  if (contract === undefined) throw new PopshareError('FEED_UNKNOWN', 'there is no such feed');
  const known = Object.hasOwn(contract.fields, field) ? contract.fields[field] : undefined;
  if (known === undefined || known.masking === 'none') throw notMasked();
  return sql`
    SELECT r.${sql.id(field)}::text AS value FROM ${sql.id('registry', feed)} r
    WHERE r.source_key = ${key} AND EXISTS (
      SELECT FROM identity.mention m JOIN identity.link l USING (mention_id)
      WHERE m.source_key = ${key} AND m.feed = ${feed} AND l.person_id = ${personId})`;
}

function notMasked(): PopshareError {
  return new PopshareError('REQUEST_INVALID', 'there is no such field that is masked');
}
