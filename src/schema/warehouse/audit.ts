import { type Kysely, sql } from 'kysely';
import type { DB } from '../database.ts';
import type { Warehouse } from './connect.ts';

/** What is kept in the log: one word for each kind of act that someone may have to answer for. */
export type AuditedAction =
  | 'look'
  | 'unmask'
  | 'match'
  | 'alert'
  | 'export'
  | 'decide'
  | 'lift'
  | 'case'
  | 'correction'
  | 'push'
  | 'field_check'
  | 'release'
  | 'refuse'
  | 'replay'
  | 'run'
  | 'purge'
  | 'configuration'
  | 'sign_in'
  | 'sign_in_failed'
  | 'sign_in_locked'
  | 'sign_out'
  | 'account'
  | 'token';

/** One act, as it is remembered. It names records and persons by their keys, and holds no personal data itself. */
export interface AuditedAct {
  /** Who: an account; on the command line the operating system's user. */
  readonly actor: string;
  readonly action: AuditedAction;
  /** What it was done to, such as `person 12`, `case 7`, `delivery 3`. */
  readonly subject?: string | undefined;
  /** Why, in the words of the one who acted. */
  readonly purpose?: string | undefined;
  /** What else is worth knowing: before and after of a change, the filter of an export. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * Adds one entry to the audit log. Call it last in a transaction: whoever adds the next entry waits for the commit.
 *
 * @returns the number of the entry
 */
export async function recordAct(db: Kysely<DB>, act: AuditedAct): Promise<number> {
  const { rows } = await sql<{ entry_id: number }>`
    SELECT audit.append(${act.actor}, ${act.action}, ${act.subject ?? null}, ${act.purpose ?? null},
                        ${JSON.stringify(act.detail ?? {})}::jsonb) AS entry_id`.execute(db);
  return rows[0]?.entry_id ?? 0;
}

/** The end of the log: its last entry, and the hash that stands for all before it. */
export interface AuditHead {
  readonly entryId: number;
  /** SHA-256, 64 hexadecimal digits. */
  readonly hash: string;
}

/** How far the log has come. */
export async function auditHead(warehouse: Warehouse): Promise<AuditHead> {
  const { rows } = await sql<{ entry_id: number; hash: string }>`
    SELECT entry_id, encode(hash, 'hex') AS hash FROM audit.head`.execute(warehouse.db);
  return { entryId: rows[0]?.entry_id ?? 0, hash: rows[0]?.hash ?? '' };
}

/** What is wrong with the log at one entry. */
export interface AuditFault {
  readonly entryId: number;
  readonly kind: 'changed' | 'missing' | 'cut off' | 'anchor differs';
}

/**
 * Computes the whole chain again and holds it against what the log says, and against anchors kept outside of it.
 *
 * @param anchors heads as they were written down at some time; entries up to there can be proven
 * @returns the faults, in order of their entries; of a broken stretch its first entry
 */
export async function verifyAudit(
  warehouse: Warehouse,
  anchors: readonly AuditHead[],
): Promise<AuditFault[]> {
  const { rows } = await sql<AuditFault>`
    WITH chained AS (
      SELECT e.*, lag(entry_id, 1, 0) OVER w AS id_before, lag(hash, 1, sha256('popshare')) OVER w AS hash_before
      FROM audit.entry e WINDOW w AS (ORDER BY entry_id)),
    fault AS (
      SELECT entry_id, 'missing' AS kind FROM chained WHERE id_before <> entry_id - 1
      UNION ALL
      SELECT entry_id, 'changed' FROM chained
      WHERE id_before = entry_id - 1
        AND hash IS DISTINCT FROM audit.chain(hash_before, entry_id, at, actor, action, subject, purpose, detail)
      UNION ALL
      SELECT h.entry_id, 'cut off' FROM audit.head h
      WHERE h.entry_id <> (SELECT coalesce(max(entry_id), 0) FROM audit.entry)
      UNION ALL
      SELECT a.entry_id, 'anchor differs'
      FROM unnest(${anchors.map(({ entryId }) => entryId)}::bigint[], ${anchors.map(({ hash }) => hash)}::text[]) AS a (entry_id, hash)
      LEFT JOIN audit.entry e USING (entry_id)
      WHERE a.entry_id > 0 AND a.hash IS DISTINCT FROM encode(e.hash, 'hex'))
    SELECT entry_id AS "entryId", kind FROM fault ORDER BY entry_id, kind`.execute(warehouse.db);
  return rows;
}
