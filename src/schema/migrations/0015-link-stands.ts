import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What a night needs so that it need not read what did not change. */
async function up(db: Kysely<unknown>): Promise<void> {
  // Whether the mention stood at the last reconciliation: what changed since tells how many stand now.
  await sql`ALTER TABLE identity.link ADD COLUMN stands boolean NOT NULL DEFAULT true`.execute(db);
  await sql`
    UPDATE identity.link l SET stands = false
    FROM identity.mention m WHERE m.mention_id = l.mention_id AND NOT m.active`.execute(db);
  // Few: those that are not linked to others.
  await sql`
    CREATE INDEX link_alone ON identity.link (mention_id) WHERE method IN ('single', 'name_conflict')`.execute(
    db,
  );

  // Few: the keys of mentions without a number, which are asked again when somebody comes or goes under them.
  await sql`CREATE INDEX block_key_free ON identity.block_key (key) WHERE NOT anchored`.execute(db);
  // The first reconciliation makes this table anew, by CREATE TABLE AS, which gives no constraints.
  await sql`
    ALTER TABLE identity.block_key ALTER key DROP NOT NULL, ALTER mention_id DROP NOT NULL,
      ALTER rule DROP NOT NULL, ALTER anchored DROP NOT NULL`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    ALTER TABLE identity.block_key ALTER key SET NOT NULL, ALTER mention_id SET NOT NULL,
      ALTER rule SET NOT NULL, ALTER anchored SET NOT NULL`.execute(db);
  await sql`DROP INDEX identity.block_key_free`.execute(db);
  await sql`DROP INDEX identity.link_alone`.execute(db);
  await sql`ALTER TABLE identity.link DROP COLUMN stands`.execute(db);
}

export const linkStands: Migration = { up, down };
