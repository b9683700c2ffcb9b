import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Contract, MentionRole } from '../schema/contracts/contract.ts';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import { featureColumn } from './mention-features.ts';

/**
 * Brings the mentions of a feed to the records that the delta names.
 *
 * Before: `delta` and the stage as apply left them. After: every person named by a new or changed record has an
 * active mention with the record's values; mentions of removed records, and of roles that a changed record
 * leaves empty, are inactive. A mention is written only when it differs, and then carries this run.
 */
export async function applyMentions(
  tx: Transaction<DB>,
  contract: Contract,
  stage: RawBuilder<unknown>,
  runId: RunId,
): Promise<void> {
  for (const role of contract.mentions) {
    await addMentions(tx, contract, role, stage, runId);
    await changeMentions(tx, contract, role, stage, runId);
    await retireEmptyRoles(tx, contract, role, stage, runId);
  }
  await retireRemoved(tx, contract, runId);
}

/** Where each column of a mention comes from, for one role. */
function mentionSources(role: MentionRole): Record<string, RawBuilder<unknown>> {
  const record = (field: string | undefined): RawBuilder<unknown> =>
    field === undefined ? sql`NULL` : sql`s.${sql.id(field)}`;
  return {
    id_given: record(role.idNumber),
    id_kind: sql`s.${sql.id(featureColumn(role, 'id_kind'))}`,
    id_number: sql`s.${sql.id(featureColumn(role, 'id_number'))}`,
    name_given: record(role.name),
    name: sql`s.${sql.id(featureColumn(role, 'name'))}`,
    sex: role.sexOfRole === undefined ? record(role.sex) : sql`${role.sexOfRole}::text`,
    birth_date: role.birthDate === undefined ? sql`NULL::date` : record(role.birthDate),
    phone: sql`s.${sql.id(featureColumn(role, 'phone'))}`,
    division: record(role.division),
    registered_division: record(role.registeredDivision),
    address: sql`s.${sql.id(featureColumn(role, 'address'))}`,
    dwelling_code: record(role.dwelling),
    household_code: record(role.household),
    source_person: record(role.sourcePerson),
    property_code: record(role.property),
  };
}

/** Whether every record names a person in the role: the contract requires something of that person. */
function isAlwaysNamed({ fields }: Contract, { idNumber, name, sex, birthDate }: MentionRole): boolean {
  return [idNumber, name, sex, birthDate].some((field) => field !== undefined && fields[field]?.required);
}

/** Otherwise a record names a person in a role when it gives a name or a number for it. */
function namesSomebody(contract: Contract, role: MentionRole): RawBuilder<boolean> {
  if (isAlwaysNamed(contract, role)) return sql`true`;
  const given = [role.idNumber, role.name].filter((field) => field !== undefined);
  return sql`num_nonnulls(${sql.join(given.map((field) => sql`s.${sql.id(field)}`))}) > 0`;
}

/** A record that is new to the registry but was there before: its mentions are still there, inactive. */
const hasReturned = (contract: Contract): RawBuilder<boolean> => sql`
  EXISTS (SELECT FROM identity.mention m WHERE NOT m.active AND m.feed = ${contract.feed} AND m.source_key = d.source_key)`;

/** Mentions of records that never were before: nothing can stand in their way, so nothing is looked up. */
async function addMentions(
  tx: Transaction<DB>,
  contract: Contract,
  role: MentionRole,
  stage: RawBuilder<unknown>,
  runId: RunId,
): Promise<void> {
  const sources = mentionSources(role);
  await sql`
    INSERT INTO identity.mention (feed, source_key, role, changed_run, ${columnsOf(sources)})
    SELECT ${contract.feed}, s.source_key, ${role.role}, ${runId}::bigint, ${sql.join(Object.values(sources))}
    FROM delta d JOIN ${stage} s ON s.line = d.line
    WHERE d.kind = 'new' AND ${namesSomebody(contract, role)} AND NOT ${hasReturned(contract)}`.execute(tx);
}

/** Mentions of changed and returned records: added when the role is new to the record, written when they differ. */
async function changeMentions(
  tx: Transaction<DB>,
  contract: Contract,
  role: MentionRole,
  stage: RawBuilder<unknown>,
  runId: RunId,
): Promise<void> {
  const sources = mentionSources(role);
  const columns = Object.keys(sources);
  const ofMention = (prefix: string): RawBuilder<unknown> =>
    sql.join(columns.map((name) => sql.id(prefix, name)));
  await sql`
    INSERT INTO identity.mention AS standing (feed, source_key, role, changed_run, ${columnsOf(sources)})
    SELECT ${contract.feed}, s.source_key, ${role.role}, ${runId}::bigint, ${sql.join(Object.values(sources))}
    FROM delta d JOIN ${stage} s ON s.line = d.line
    WHERE ${namesSomebody(contract, role)} AND (d.kind = 'changed' OR (d.kind = 'new' AND ${hasReturned(contract)}))
    ON CONFLICT (source_key, role, feed) DO UPDATE SET
      active = true, changed_run = excluded.changed_run,
      ${sql.join(columns.map((name) => sql`${sql.id(name)} = excluded.${sql.id(name)}`))}
    WHERE NOT standing.active OR (${ofMention('standing')}) IS DISTINCT FROM (${ofMention('excluded')})`.execute(
    tx,
  );
}

function columnsOf(sources: Record<string, unknown>): RawBuilder<unknown> {
  return sql.join(Object.keys(sources).map((name) => sql.id(name)));
}

async function retireEmptyRoles(
  tx: Transaction<DB>,
  contract: Contract,
  role: MentionRole,
  stage: RawBuilder<unknown>,
  runId: RunId,
): Promise<void> {
  if (isAlwaysNamed(contract, role)) return;
  await sql`
    UPDATE identity.mention m SET active = false, changed_run = ${runId}
    FROM delta d JOIN ${stage} s ON s.line = d.line
    WHERE d.kind = 'changed' AND NOT ${namesSomebody(contract, role)}
      AND m.feed = ${contract.feed} AND m.source_key = d.source_key AND m.role = ${role.role} AND m.active`.execute(
    tx,
  );
}

async function retireRemoved(tx: Transaction<DB>, contract: Contract, runId: RunId): Promise<void> {
  const roles = contract.mentions.map(({ role }) => role);
  await sql`
    UPDATE identity.mention m SET active = false, changed_run = ${runId}
    FROM delta d
    WHERE d.kind = 'removed' AND m.feed = ${contract.feed} AND m.source_key = d.source_key
      AND m.role IN (${sql.join(roles)}) AND m.active`.execute(tx);
}
