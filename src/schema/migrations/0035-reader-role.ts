import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The owner may look with the eyes of popshare_reader: what leaves as files is what dashboards see. Where somebody else
 * has made the role, only they can grant it; the owner goes on without, and `doctor` says what is lacking.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    DO $$ BEGIN
      IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT popshare_reader TO %I', current_user);
      END IF;
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END $$`.execute(db);
}

/** Roles belong to the server: another database may have granted it, too. */
async function down(): Promise<void> {}

export const readerRole: Migration = { up, down };
