import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sql, type Transaction } from 'kysely';
import type { Arrival } from '../connectors/connector.ts';
import type { DB } from '../schema/database.ts';
import { type DeliveryId, toDeliveryId } from '../schema/ids.ts';
import { asCurrentRun } from './current-run.ts';
import type { RunContext } from './delivery.ts';

/**
 * Lands an arrival: its bytes are in the data folder, flushed to disk, before the ledger knows of it, and
 * everything later can be replayed from them. A file with bytes that the ledger already has for this feed and
 * business date is the same delivery and lands once; with a mended control file, what was held is read again.
 *
 * @returns the delivery's id, and whether it is new to the ledger
 */
export async function landArrival(
  context: RunContext,
  arrival: Arrival,
  department: string,
): Promise<{ deliveryId: DeliveryId; isNew: boolean }> {
  const stored = await storeBytes(arrival, context.dataFolder);

  return asCurrentRun(context, async (tx) => {
    const known = await tx
      .selectFrom('ops.delivery')
      .select('delivery_id')
      .where('feed', '=', arrival.feed)
      .where('business_date', '=', arrival.businessDate)
      .where('sha256', '=', stored.sha256)
      .executeTakeFirst();
    const control = arrival.control === null ? null : JSON.stringify(arrival.control);
    if (known !== undefined) {
      const deliveryId = toDeliveryId(known.delivery_id);
      await reopenWithControl(tx, deliveryId, control);
      // Purged bytes that are still in the drop have been stored again just now: the next purge knows of them.
      await sql`
        UPDATE ops.delivery SET landed_path = ${stored.landedPath}, purged_on = NULL
        WHERE delivery_id = ${deliveryId} AND landed_path IS NULL`.execute(tx);
      return { deliveryId, isNew: false };
    }

    await supersedeOpen(context, arrival.feed, tx);
    const deliveryId = await enterArrival(tx, context, { arrival, department, stored, at: new Date() });
    return { deliveryId, isNew: true };
  });
}

/** Bytes that are in the data folder. */
export interface StoredBytes {
  /** Below the data folder. */
  readonly landedPath: string;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Enters an arrival in the ledger as landed. The row that said `missing` is taken over; otherwise it gets the next
 * sequence of its date.
 *
 * @param entry `stored`: null when its bytes are lost; `at`: when it arrived
 */
export async function enterArrival(
  tx: Transaction<DB>,
  { runId }: Pick<RunContext, 'runId'>,
  entry: { arrival: Arrival; department: string; stored: StoredBytes | null; at: Date },
): Promise<DeliveryId> {
  const { arrival, department, stored, at } = entry;
  const control = arrival.control === null ? null : JSON.stringify(arrival.control);
  const { rows } = await sql<{ delivery_id: number }>`
    INSERT INTO ops.delivery (feed, department, business_date, sequence, run_id, status, source_name, landed_path,
                              sha256, bytes, control, arrived_at)
    VALUES (${arrival.feed}, ${department}, ${arrival.businessDate},
            (SELECT coalesce(max(sequence) FILTER (WHERE status <> 'missing'), 0) + 1 FROM ops.delivery
             WHERE feed = ${arrival.feed} AND business_date = ${arrival.businessDate}),
            ${runId}, 'landed', ${arrival.sourceName}, ${stored?.landedPath ?? null}, ${stored?.sha256 ?? null},
            ${stored?.bytes ?? null}, ${control}::jsonb, ${at})
    ON CONFLICT (feed, business_date, sequence) DO UPDATE SET
      run_id = excluded.run_id, status = 'landed', reason = NULL, source_name = excluded.source_name,
      landed_path = excluded.landed_path, sha256 = excluded.sha256, bytes = excluded.bytes,
      control = excluded.control, arrived_at = excluded.arrived_at
    RETURNING delivery_id`.execute(tx);
  return toDeliveryId(rows[0]?.delivery_id ?? 0);
}

/** The department mended the control file and not the data: the delivery that is held gets another reading. */
async function reopenWithControl(
  tx: Transaction<DB>,
  deliveryId: DeliveryId,
  control: string | null,
): Promise<void> {
  await sql`
    UPDATE ops.delivery SET status = 'landed', control = ${control}::jsonb
    WHERE delivery_id = ${deliveryId} AND status = 'held' AND control IS DISTINCT FROM ${control}::jsonb`.execute(
    tx,
  );
}

/**
 * A mended file for the same date answers the one that is held, or failed: an officer need not look at the old
 * one any more, and it is not tried again after the new one. What was pushed are other rows: a file answers for none.
 */
async function supersedeOpen(context: RunContext, feed: string, tx: Transaction<DB>): Promise<void> {
  await sql`
    WITH superseded AS (
      UPDATE ops.delivery d SET status = 'refused', reason = '已被同一业务日期的新批次取代'
      WHERE feed = ${feed} AND business_date = ${context.businessDate} AND status IN ('held', 'failed')
        AND NOT EXISTS (SELECT FROM ops.push p WHERE p.delivery_id = d.delivery_id)
      RETURNING delivery_id)
    INSERT INTO ops.delivery_decision (delivery_id, decision, reason, decided_by)
    SELECT delivery_id, 'supersede', 'another file arrived for the same business date', 'popshare' FROM superseded`.execute(
    tx,
  );
}

/** Copies the bytes under a name that tells their digest; an interrupted copy leaves only a file ending in `.part`. */
export async function storeBytes(arrival: Arrival, dataFolder: string): Promise<StoredBytes> {
  const below = path.join('landing', arrival.feed, arrival.businessDate);
  const folder = path.join(dataFolder, below);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const digest = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      digest.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const source = await arrival.open();
  const part = path.join(folder, `${process.pid}-${performance.now()}.part`);
  const handle = await open(part, 'wx', 0o600);
  try {
    await pipeline(source, counted, handle.createWriteStream({ flush: true }));
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  const sha256 = digest.digest('hex');
  const name = `${sha256}.${arrival.extension}`;
  await rename(part, path.join(folder, name));
  return { landedPath: path.join(below, name), sha256, bytes };
}
