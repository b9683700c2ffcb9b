import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import { pushedRows, type WaitingPush } from '../../connectors/pushed-rows.ts';
import type { Binding } from '../../schema/configuration/binding.ts';
import { asCurrentRun } from '../current-run.ts';
import type { RunContext } from '../delivery.ts';
import { enterArrival, storeBytes } from '../land.ts';
import { waitingFolder } from './receive.ts';

/** What was written since may be a push that is just being taken. */
const LEFT_OVER_AFTER_MILLISECONDS = 86_400_000;

interface StoredPush extends WaitingPush {
  /** Below the data folder. */
  readonly stored_path: string;
}

/**
 * Lands what was pushed of a feed since the last night: each push as a delivery of its own, in the order in which they
 * came, with its count and digest as its control totals. A run of an earlier date than the feed has come to lands none.
 *
 * After: each push that waited is a delivery of the run's date, exactly one, and its bytes are where all landed ones are.
 */
export async function landPushed(context: RunContext, binding: Binding): Promise<void> {
  const { warehouse, dataFolder, businessDate } = context;
  const { rows } = await sql<StoredPush>`
    SELECT push_id, rows, stored_path, sha256, pushed_by, received_at FROM ops.push p
    WHERE feed = ${binding.feed} AND delivery_id IS NULL
      AND NOT EXISTS (SELECT FROM ops.feed_state s WHERE s.feed = p.feed AND s.business_date > ${businessDate}::date)
    ORDER BY push_id`.execute(warehouse.db);
  for (const push of rows) await landPush(context, binding, push);
  await removeLeftOvers(context, binding.feed, path.join(dataFolder, waitingFolder(binding.feed)));
}

/** A push whose bytes are gone, as after a restore without the files, is refused: its sender must push it again. */
async function landPush(context: RunContext, binding: Binding, push: StoredPush): Promise<void> {
  const { feed, contract } = binding;
  const waiting = path.join(context.dataFolder, push.stored_path);
  const arrival = pushedRows(push, feed, context.businessDate, waiting);
  const stored = await storeBytes(arrival, context.dataFolder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  await asCurrentRun(context, async (tx) => {
    // A worker that was taken for dead may be at it, too.
    const { rows } = await sql`
      SELECT FROM ops.push WHERE push_id = ${push.push_id} AND delivery_id IS NULL FOR UPDATE`.execute(tx);
    if (rows.length === 0) return;
    const { department } = contract;
    const deliveryId = await enterArrival(tx, context, { arrival, department, stored, at: push.received_at });
    if (stored === null)
      await sql`
        UPDATE ops.delivery SET status = 'refused', reason = '推送的数据已不在，请重新推送'
        WHERE delivery_id = ${deliveryId}`.execute(tx);
    await sql`UPDATE ops.push SET delivery_id = ${deliveryId} WHERE push_id = ${push.push_id}`.execute(tx);
  });
  await rm(waiting, { force: true });
}

/** Deletes what no push that waits names: of one that was landed, or broken off, by a process that died. */
async function removeLeftOvers({ warehouse }: RunContext, feed: string, folder: string): Promise<void> {
  const files = await readdir(folder).catch(() => []);
  if (files.length === 0) return;
  const { rows } = await sql<{ stored_path: string }>`
    SELECT stored_path FROM ops.push WHERE feed = ${feed} AND delivery_id IS NULL`.execute(warehouse.db);
  const waiting = rows.map(({ stored_path }) => path.basename(stored_path));
  for (const file of files.filter((name) => !waiting.includes(name))) {
    // Gone: a push that is just being taken has got its last name, or was refused.
    const found = await stat(path.join(folder, file)).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > LEFT_OVER_AFTER_MILLISECONDS)
      await rm(path.join(folder, file), { force: true });
  }
}
