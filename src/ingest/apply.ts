import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Binding } from '../schema/configuration/binding.ts';
import type { Contract } from '../schema/contracts/contract.ts';
import type { DB } from '../schema/database.ts';
import { PopshareError } from '../schema/errors.ts';
import { applyMentions } from './apply-mentions.ts';
import { asCurrentRun } from './current-run.ts';
import type { LandedDelivery, RunContext } from './delivery.ts';
import { markMended } from './rejected-rows.ts';
import { type Staged, stageTable } from './stage.ts';
import { maybeRefused } from './unkeyed-rows.ts';

/** What a delivery did to the registry. accepted = new + changed + unchanged; removed counts snapshots' absences. */
export interface Books {
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly removed: number;
}

/** The names that the statements of one delivery share. */
interface Tables {
  readonly contract: Contract;
  readonly stage: RawBuilder<unknown>;
  readonly registry: RawBuilder<unknown>;
  readonly history: RawBuilder<unknown>;
}

/**
 * Applies a staged delivery: history, current records, mentions, mended rejections, books and ledger in one
 * transaction. Before: the registry stands at the feed's last delivery. After: at this one, or, when anything
 * fails, where it was.
 *
 * @throws STAGE_INCOMPLETE, BOOKS_UNBALANCED, STALE_WORKER; nothing is committed then
 */
export async function applyDelivery(
  context: RunContext,
  delivery: LandedDelivery,
  binding: Binding,
  staged: Staged,
): Promise<Books> {
  const { contract } = binding;
  const tables: Tables = {
    contract,
    stage: sql.id('stage', stageTable(delivery)),
    registry: sql.id('registry', contract.feed),
    history: sql.id('registry', `${contract.feed}_history`),
  };
  return asCurrentRun(context, async (tx) => {
    await requireWholeStage(tx, tables, delivery, staged);
    await dropOvertakenRows(tx, tables);
    const kept = isSnapshot(contract) ? await maybeRefused(tx, delivery, binding, staged.header) : null;
    await buildDelta(tx, tables, delivery, kept);
    const counts = await countDelta(tx);
    const books = { ...counts, unchanged: staged.accepted - counts.new - counts.changed };

    const archived = await archiveVersions(tx, tables, delivery);
    const removed = await removeRecords(tx, tables);
    const changed = await changeRecords(tx, tables, delivery);
    const added = await addRecords(tx, tables, delivery);
    balance(delivery, staged, books, { archived, removed, changed, added });

    await applyMentions(tx, contract, tables.stage, context.runId);
    await markMended(tx, delivery, binding);
    await closeBooks(tx, delivery, staged, books);
    await sql`DROP TABLE ${tables.stage}`.execute(tx);
    return books;
  });
}

/** The stage is unlogged: a server that recovers from a crash empties it, and absence would mean removal. */
async function requireWholeStage(
  tx: Transaction<DB>,
  { stage }: Tables,
  delivery: LandedDelivery,
  staged: Staged,
): Promise<void> {
  const { rows } = await sql<{ rows: number }>`SELECT count(*) AS rows FROM ${stage}`.execute(tx);
  const found = rows[0]?.rows ?? 0;
  if (found !== staged.accepted) {
    throw new PopshareError(
      'STAGE_INCOMPLETE',
      `delivery ${delivery.deliveryId} (${delivery.feed}) has ${found} of ${staged.accepted} rows in its stage table`,
    );
  }
}

/**
 * Of several rows with one key in one delivery the latest change wins, ties by file order.
 * After: the stage table has each key once. Rows overtaken here count as unchanged in the books.
 */
async function dropOvertakenRows(tx: Transaction<DB>, { stage, contract }: Tables): Promise<void> {
  const latestFirst =
    contract.updatedAt === null
      ? sql`line DESC`
      : sql`${sql.id(contract.updatedAt)} DESC NULLS LAST, line DESC`;
  await sql`
    DELETE FROM ${stage} s USING (
      SELECT line, row_number() OVER (PARTITION BY source_key ORDER BY ${latestFirst}) AS place
      FROM ${stage}
      WHERE source_key IN (SELECT source_key FROM ${stage} GROUP BY source_key HAVING count(*) > 1)
    ) ranked
    WHERE s.line = ranked.line AND ranked.place > 1`.execute(tx);
}

/**
 * Compares the stage with the registry, once. After: temporary table `delta` has one row for each record that
 * this delivery makes new, changes or removes (line = its row in the stage; null for removed).
 *
 * Nothing is removed by a row that was there but refused: its record stands as it was. Nothing older replaces
 * anything newer: see {@link isNewer}.
 *
 * @param kept which standing records (r) may be among the refused rows without a key; null where there are none
 */
async function buildDelta(
  tx: Transaction<DB>,
  tables: Tables,
  delivery: LandedDelivery,
  kept: RawBuilder<boolean> | null,
): Promise<void> {
  const { stage, registry, contract } = tables;
  const fields = Object.keys(contract.fields);
  const staged = sql.join(fields.map((name) => sql`s.${sql.id(name)}`));
  const standing = sql.join(fields.map((name) => sql`r.${sql.id(name)}`));
  const refusedKeys = sql`SELECT source_key FROM ops.rejected_row
    WHERE delivery_id = ${delivery.deliveryId} AND source_key IS NOT NULL`;
  await sql`
    CREATE TEMPORARY TABLE delta ON COMMIT DROP AS
    SELECT s.line, coalesce(s.source_key, r.source_key) AS source_key,
           CASE WHEN r.source_key IS NULL THEN 'new' WHEN s.source_key IS NULL THEN 'removed' ELSE 'changed' END AS kind
    FROM ${stage} s ${sql.raw(isSnapshot(contract) ? 'FULL' : 'LEFT')} JOIN ${registry} r ON r.source_key = s.source_key
    WHERE r.source_key IS NULL
       OR (s.source_key IS NULL AND r.source_key NOT IN (${refusedKeys}) AND NOT ${kept ?? sql`false`})
       OR (s.source_key IS NOT NULL AND (${staged}) IS DISTINCT FROM (${standing}) AND ${isNewer(contract, delivery)})`.execute(
    tx,
  );
  await sql`ANALYZE delta`.execute(tx);
}

const isSnapshot = ({ mode }: Contract): boolean => mode === 'snapshot';

/**
 * Whether a staged row (s) may replace the standing record (r). In a snapshot the file is the truth of its day.
 * Elsewhere the source's own time of change decides, then the business date.
 */
function isNewer(contract: Contract, delivery: LandedDelivery): RawBuilder<boolean> {
  if (isSnapshot(contract)) return sql`true`;
  if (contract.updatedAt === null) return sql`r.valid_from <= ${delivery.businessDate}::date`;
  const updatedAt = sql.id(contract.updatedAt);
  return sql`(s.${updatedAt}, ${delivery.businessDate}::date) >= (r.${updatedAt}, r.valid_from)`;
}

async function countDelta(tx: Transaction<DB>): Promise<Omit<Books, 'unchanged'>> {
  const { rows } = await sql<{ new: number; changed: number; removed: number }>`
    SELECT count(*) FILTER (WHERE kind = 'new') AS new,
           count(*) FILTER (WHERE kind = 'changed') AS changed,
           count(*) FILTER (WHERE kind = 'removed') AS removed
    FROM delta`.execute(tx);
  return rows[0] ?? { new: 0, changed: 0, removed: 0 };
}

/** Keeps the versions that end today. After: every changed or removed record has its last version in the history. */
async function archiveVersions(
  tx: Transaction<DB>,
  tables: Tables,
  delivery: LandedDelivery,
): Promise<number> {
  const { registry, history, contract } = tables;
  const columns = ['source_key', 'delivery_id', 'valid_from', ...Object.keys(contract.fields)];
  const result = await sql`
    INSERT INTO ${history} (${sql.join(columns.map((name) => sql.id(name)))}, valid_to, ended_by)
    SELECT ${sql.join(columns.map((name) => sql`r.${sql.id(name)}`))},
           greatest(r.valid_from, ${delivery.businessDate}::date), ${delivery.deliveryId}
    FROM delta d JOIN ${registry} r ON r.source_key = d.source_key
    WHERE d.kind <> 'new'`.execute(tx);
  return Number(result.numAffectedRows);
}

async function removeRecords(tx: Transaction<DB>, { registry }: Tables): Promise<number> {
  const result = await sql`
    DELETE FROM ${registry} r USING delta d
    WHERE d.kind = 'removed' AND d.source_key = r.source_key`.execute(tx);
  return Number(result.numAffectedRows);
}

async function changeRecords(
  tx: Transaction<DB>,
  { registry, stage, contract }: Tables,
  delivery: LandedDelivery,
): Promise<number> {
  const assignments = Object.keys(contract.fields).map((name) => sql`${sql.id(name)} = s.${sql.id(name)}`);
  const result = await sql`
    UPDATE ${registry} r SET ${sql.join(assignments)}, delivery_id = ${delivery.deliveryId},
           valid_from = greatest(r.valid_from, ${delivery.businessDate}::date)
    FROM delta d JOIN ${stage} s ON s.line = d.line
    WHERE d.kind = 'changed' AND r.source_key = d.source_key`.execute(tx);
  return Number(result.numAffectedRows);
}

async function addRecords(
  tx: Transaction<DB>,
  { registry, stage, contract }: Tables,
  delivery: LandedDelivery,
): Promise<number> {
  const fields = Object.keys(contract.fields);
  const result = await sql`
    INSERT INTO ${registry} (source_key, delivery_id, valid_from, ${sql.join(fields.map((name) => sql.id(name)))})
    SELECT s.source_key, ${delivery.deliveryId}::bigint, ${delivery.businessDate}::date,
           ${sql.join(fields.map((name) => sql`s.${sql.id(name)}`))}
    FROM delta d JOIN ${stage} s ON s.line = d.line
    WHERE d.kind = 'new'`.execute(tx);
  return Number(result.numAffectedRows);
}

/** Law 4: what was counted is what was done. */
function balance(
  delivery: LandedDelivery,
  staged: Staged,
  books: Books,
  done: { archived: number; removed: number; changed: number; added: number },
): void {
  const balanced =
    staged.received === staged.accepted + staged.rejected &&
    books.unchanged >= 0 &&
    done.added === books.new &&
    done.changed === books.changed &&
    done.removed === books.removed &&
    done.archived === books.changed + books.removed;
  if (!balanced) {
    throw new PopshareError(
      'BOOKS_UNBALANCED',
      `delivery ${delivery.deliveryId} (${delivery.feed}): ${JSON.stringify({ ...staged, header: undefined, books, done })}`,
    );
  }
}

async function closeBooks(
  tx: Transaction<DB>,
  delivery: LandedDelivery,
  staged: Staged,
  books: Books,
): Promise<void> {
  if (!(await isKeptAsItWas(tx, delivery, books)))
    await sql`
      UPDATE ops.delivery SET status = 'applied', applied_at = now(), reason = NULL,
             received = ${staged.received}, accepted = ${staged.accepted}, rejected = ${staged.rejected},
             new = ${books.new}, changed = ${books.changed}, unchanged = ${books.unchanged}, removed = ${books.removed}
      WHERE delivery_id = ${delivery.deliveryId}`.execute(tx);
  await sql`
    INSERT INTO ops.feed_state (feed, delivery_id, business_date, sha256, received)
    VALUES (${delivery.feed}, ${delivery.deliveryId}, ${delivery.businessDate}, ${delivery.sha256}, ${staged.received})
    ON CONFLICT (feed) DO UPDATE SET
      delivery_id = excluded.delivery_id, business_date = greatest(ops.feed_state.business_date, excluded.business_date),
      sha256 = excluded.sha256, received = excluded.received`.execute(tx);
}

/**
 * A replay that finds the same rows and changes nothing leaves the ledger with what the delivery did when it was
 * applied.
 */
async function isKeptAsItWas(tx: Transaction<DB>, delivery: LandedDelivery, books: Books): Promise<boolean> {
  if (!delivery.isReplay || books.new + books.changed + books.removed > 0) return false;
  const { numAffectedRows } = await sql`
    UPDATE ops.delivery SET status = 'applied', reason = '重放：登记簿不变'
    WHERE delivery_id = ${delivery.deliveryId} AND accepted = new + changed + unchanged`.execute(tx);
  return numAffectedRows === 1n;
}
