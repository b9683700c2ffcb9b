import { createReadStream } from 'node:fs';
import path from 'node:path';
import { sql, type Transaction } from 'kysely';
import { PUSHED } from '../connectors/pushed-rows.ts';
import type { Binding } from '../schema/configuration/binding.ts';
import type { DB } from '../schema/database.ts';
import { type CopyTarget, copyValue, openCopy } from '../schema/warehouse/copy.ts';
import { asCurrentRun } from './current-run.ts';
import { decodeRows } from './decode/decode.ts';
import type { LandedDelivery, RunContext } from './delivery.ts';
import { appendMentionFeatures, featureColumns } from './mention-features.ts';
import { checkHeader, type HeaderCheck, type RejectedRow, rowJudge } from './validate.ts';

/** What reading a delivery showed. `accepted` rows are in the stage table, rejected ones in ops.rejected_row. */
export interface Staged {
  readonly header: readonly string[];
  readonly headerCheck: HeaderCheck;
  readonly encoding: string;
  readonly received: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly undecodable: number;
}

/** The table that holds a delivery's accepted rows between reading and applying. It is no truth: made anew at need. */
export function stageTable(delivery: LandedDelivery): string {
  return `delivery_${delivery.deliveryId}`;
}

/**
 * Reads a landed delivery into its stage table: decode, judge, COPY, one pass with flat memory.
 *
 * Before: anything, also the leavings of an interrupted attempt. After: stage table and ops.rejected_row hold
 * this delivery's rows exactly once. A header without a bound column stages nothing, but counts the rows.
 *
 * @throws STALE_WORKER; the SOURCE_ codes when the bytes cannot be read as the format at all
 */
export async function stageDelivery(
  context: RunContext,
  delivery: LandedDelivery,
  binding: Binding,
): Promise<Staged> {
  await asCurrentRun(context, (tx) => prepare(tx, delivery, binding));
  const isPushed = delivery.landedPath.endsWith(`.${PUSHED}`);
  const source = await decodeRows(
    createReadStream(path.join(context.dataFolder, delivery.landedPath), { highWaterMark: 1 << 20 }),
    {
      format: isPushed ? 'jsonl' : binding.format,
      gzip: delivery.landedPath.endsWith('.gz'),
      delimiter: binding.delimiter,
      encoding: isPushed ? 'utf-8' : binding.encoding,
      columns: Object.values(binding.columns),
    },
  );
  const headerCheck = checkHeader(binding, source.header);
  const seen = { header: source.header, headerCheck, encoding: source.encoding };
  if (headerCheck.missing.length > 0) {
    let received = 0;
    for await (const batch of source.rows) received += batch.length;
    return { ...seen, received, accepted: 0, rejected: 0, undecodable: 0 };
  }

  const stageClient = await context.warehouse.pool.connect();
  const rejects = new RejectWriter(context, delivery);
  try {
    const copy = openCopy(stageClient, copyStatement(delivery, binding));
    const counts = await copyAccepted(context, binding, source, copy, rejects);
    return { ...seen, ...counts };
  } finally {
    stageClient.release();
  }
}

async function copyAccepted(
  context: RunContext,
  binding: Binding,
  source: Awaited<ReturnType<typeof decodeRows>>,
  copy: CopyTarget,
  rejects: RejectWriter,
): Promise<Pick<Staged, 'received' | 'accepted' | 'rejected' | 'undecodable'>> {
  const judge = rowJudge(binding, source.header);
  const { contract } = binding;
  const fields = Object.keys(contract.fields);
  let received = 0;
  let undecodable = 0;
  try {
    for await (const batch of source.rows) {
      let block = '';
      for (const row of batch) {
        const verdict = judge(row);
        if ('rejected' in verdict) {
          if (verdict.rejected.code === 'ENCODING') undecodable++;
          await rejects.add(verdict.rejected);
          continue;
        }
        const { line, sourceKey, record } = verdict.accepted;
        const values: (string | null)[] = [sourceKey];
        for (const field of fields) values.push(record[field] ?? null);
        appendMentionFeatures(contract, record, values);
        block += `${line}`;
        for (const value of values) block += `\t${copyValue(value)}`;
        block += '\n';
      }
      received += batch.length;
      if (block !== '') await copy.write(block);
      context.onRows(contract.feed, received);
    }
    await rejects.flush();
    await copy.finish();
  } catch (error) {
    await copy.abort();
    throw error;
  }
  return { received, accepted: received - rejects.count, rejected: rejects.count, undecodable };
}

/** Makes an empty stage table: unlogged, because it can be made again from the landed bytes. */
async function prepare(tx: Transaction<DB>, delivery: LandedDelivery, binding: Binding): Promise<void> {
  await dropStage(tx, delivery);
  await sql`DELETE FROM ops.rejected_row WHERE delivery_id = ${delivery.deliveryId}`.execute(tx);
  const features = featureColumns(binding.contract).map(
    (column) => sql`, ${sql.id(column)} text COLLATE "C"`,
  );
  await sql`
    CREATE UNLOGGED TABLE ${sql.id('stage', stageTable(delivery))} (
      line integer NOT NULL,
      source_key text COLLATE "C" NOT NULL
      ${sql.join(recordColumns(binding), sql``)}
      ${sql.join(features, sql``)}
    ) WITH (autovacuum_enabled = false)`.execute(tx);
}

function recordColumns(binding: Binding): ReturnType<typeof sql>[] {
  return Object.entries(binding.contract.fields).map(
    ([name, field]) =>
      sql`, ${sql.id(name)} ${sql.raw(field.column === 'text' ? 'text COLLATE "C"' : field.column)}`,
  );
}

/** Forgets the stage table, if there is one. */
export async function dropStage(tx: Transaction<DB>, delivery: LandedDelivery): Promise<void> {
  await sql`DROP TABLE IF EXISTS ${sql.id('stage', stageTable(delivery))}`.execute(tx);
}

function copyStatement(delivery: LandedDelivery, binding: Binding): string {
  const columns = [
    'line',
    'source_key',
    ...Object.keys(binding.contract.fields),
    ...featureColumns(binding.contract),
  ];
  return `COPY stage.${stageTable(delivery)} (${columns.map((name) => `"${name}"`).join(', ')}) FROM STDIN`;
}

/** Writes rejected rows in blocks, beside the COPY of the accepted ones. */
class RejectWriter {
  count = 0;
  #waiting: RejectedRow[] = [];
  readonly #context: RunContext;
  readonly #delivery: LandedDelivery;

  constructor(context: RunContext, delivery: LandedDelivery) {
    this.#context = context;
    this.#delivery = delivery;
  }

  async add(row: RejectedRow): Promise<void> {
    this.count++;
    this.#waiting.push(row);
    if (this.#waiting.length === 1000) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const rows = this.#waiting.map((row) => ({
      delivery_id: this.#delivery.deliveryId,
      feed: this.#delivery.feed,
      line: row.line,
      source_key: row.sourceKey,
      field: row.field,
      code: row.code,
      message: row.message,
      fields: JSON.stringify(row.fields),
    }));
    this.#waiting = [];
    await asCurrentRun(this.#context, (tx) => tx.insertInto('ops.rejected_row').values(rows).execute());
  }
}
