import { type Kysely, sql } from 'kysely';
import { asCurrentRun } from '../../ingest/current-run.ts';
import type { RetentionSettings } from '../../schema/configuration/retention.ts';
import type { DB } from '../../schema/database.ts';
import type { RunId } from '../../schema/ids.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { today } from '../../schema/warehouse/today.ts';
import { EXPIRIES, recordVersions } from './expired-rows.ts';
import type { Expiry } from './expiry.ts';
import { countLandedFiles, removeLandedFiles, removeOrphans } from './landed-files.ts';

/** What goes, or would go. */
export interface Purged {
  readonly what: string;
  readonly setting: keyof RetentionSettings;
  /** YYYY-MM-DD: what is of this day or later stays. */
  readonly before: string;
  readonly count: number;
}

/** What is purged, for whom, and as of when. */
export interface PurgeOrder {
  readonly warehouse: Warehouse;
  readonly settings: RetentionSettings;
  readonly dataFolder: string;
  /** YYYY-MM-DD; days are counted back from here. */
  readonly asOf: string;
  /** The clock, for the age of files that no delivery names. */
  readonly now: Date;
}

const MILLISECONDS_A_DAY = 86_400_000;
const ROWS_A_BATCH = 20_000;
const FILES_A_BATCH = 200;
const LANDED_FILES = 'landed files';

/**
 * Takes away what is older than its days and what nothing needs: rows in batches, each a transaction with its entry in
 * the audit log, so that officers and a night that overtakes this run never wait long.
 *
 * @param actor who purges, for the audit log
 * @throws STALE_WORKER, PATH_OUTSIDE_ROOT
 */
export async function purge(order: PurgeOrder, runId: RunId, actor: string): Promise<Purged[]> {
  const { warehouse, settings, dataFolder, asOf, now } = order;
  const purged: Purged[] = [];
  const inBatches = async (
    found: Omit<Purged, 'count'>,
    size: number,
    remove: (tx: Parameters<Expiry['remove']>[0]) => Promise<number>,
  ): Promise<void> => {
    let count = 0;
    for (let removed = size; removed === size; count += removed) {
      removed = await asCurrentRun({ warehouse, runId }, async (tx) => {
        const inBatch = await remove(tx);
        if (inBatch > 0)
          await recordAct(tx, {
            actor,
            action: 'purge',
            subject: found.what,
            detail: { before: found.before, count: inBatch },
          });
        return inBatch;
      });
    }
    purged.push({ ...found, count });
  };
  const filesBefore = dayBefore(asOf, settings.landed_files);
  if (filesBefore !== null) {
    const found = { what: LANDED_FILES, setting: 'landed_files', before: filesBefore } as const;
    await inBatches(found, FILES_A_BATCH, (tx) =>
      removeLandedFiles(tx, dataFolder, filesBefore, FILES_A_BATCH),
    );
    await removeOrphans(warehouse.db, dataFolder, now);
  }
  for (const expiry of await expiriesOf(warehouse.db)) {
    const { what, setting } = expiry;
    const before = dayBefore(asOf, settings[setting]);
    if (before === null) continue;
    await inBatches({ what, setting, before }, ROWS_A_BATCH, (tx) =>
      expiry.remove(tx, sql`${expiry.expired(before)} LIMIT ${ROWS_A_BATCH}`),
    );
  }
  return purged;
}

/** What {@link purge} would take away now. */
export async function previewPurge({ warehouse, settings, asOf }: PurgeOrder): Promise<Purged[]> {
  const purged: Purged[] = [];
  const filesBefore = dayBefore(asOf, settings.landed_files);
  if (filesBefore !== null) {
    const { files } = await countLandedFiles(warehouse.db, filesBefore);
    purged.push({ what: LANDED_FILES, setting: 'landed_files', before: filesBefore, count: files });
  }
  for (const { what, setting, expired } of await expiriesOf(warehouse.db)) {
    const before = dayBefore(asOf, settings[setting]);
    if (before === null) continue;
    const { rows } = await sql<{ count: number }>`
      SELECT count(*) AS count FROM (${expired(before)}) e`.execute(warehouse.db);
    purged.push({ what, setting, before, count: rows[0]?.count ?? 0 });
  }
  return purged;
}

/**
 * As of when a night purges: its business date, but never a day that is still to come, so that a date given by
 * mistake takes nothing away.
 */
export async function purgeDate(warehouse: Warehouse, businessDate: string): Promise<string> {
  const now = await today(warehouse);
  return businessDate < now ? businessDate : now;
}

/** The history of every feed that has one, also of those that no contract knows any more. */
async function expiriesOf(db: Kysely<DB>): Promise<Expiry[]> {
  const { rows } = await sql<{ feed: string }>`
    SELECT regexp_replace(tablename, '_history$', '') AS feed FROM pg_tables
    WHERE schemaname = 'registry' AND tablename LIKE '%\\_history' ORDER BY 1`.execute(db);
  return [...EXPIRIES, ...rows.map(({ feed }) => recordVersions(feed))];
}

/** @returns YYYY-MM-DD; null when nothing ever goes */
function dayBefore(asOf: string, days: number | 'never'): string | null {
  if (days === 'never') return null;
  return new Date(Date.parse(asOf) - days * MILLISECONDS_A_DAY).toISOString().slice(0, 10);
}
