import { sql, type Transaction } from 'kysely';
import type { Binding } from '../schema/configuration/binding.ts';
import type { DB } from '../schema/database.ts';
import type { Queryable } from '../schema/warehouse/connect.ts';
import { encodeField } from './decode/encoding.ts';
import type { LandedDelivery } from './delivery.ts';
import { stageTable } from './stage.ts';
import { unkeyedRowsBrought } from './unkeyed-rows.ts';

/**
 * Rejected rows that this delivery mends disappear from the list (they stay in the table).
 *
 * A snapshot answers for all rows of its feed: whatever was refused before is either in it and good, in it and
 * refused again, or gone. An incremental delivery answers for the keys that it brings, accepted or refused again, and
 * for rows without a key that it brings again.
 *
 * Before: the delivery's own rejected rows are written, its stage table stands.
 */
export async function markMended(
  tx: Transaction<DB>,
  delivery: LandedDelivery,
  binding: Binding,
): Promise<void> {
  const answered =
    binding.contract.mode === 'snapshot'
      ? sql`true`
      : sql`(r.rejected_row_id = ANY (${await unkeyedRowsBrought(tx, delivery, binding)})
             OR r.source_key IN (SELECT source_key FROM ${sql.id('stage', stageTable(delivery))})
             OR r.source_key IN (SELECT source_key FROM ops.rejected_row WHERE delivery_id = ${delivery.deliveryId}))`;
  await sql`
    UPDATE ops.rejected_row r SET mended_by = ${delivery.deliveryId}
    FROM ops.delivery d
    WHERE r.feed = ${delivery.feed} AND r.mended_by IS NULL AND r.delivery_id <> ${delivery.deliveryId}
      AND d.delivery_id = r.delivery_id AND d.business_date <= ${delivery.businessDate} AND ${answered}`.execute(
    tx,
  );
}

interface ExportedFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly rows: number;
}

/**
 * The open rejected rows of a feed, per delivery: a file with the source's own header, columns, delimiter and
 * encoding (undecodable bytes included), and one of reasons by line. What was a workbook comes as CSV in UTF-8.
 */
export async function exportRejectedRows(warehouse: Queryable, binding: Binding): Promise<ExportedFile[]> {
  const { rows } = await sql<{
    delivery_id: number;
    business_date: string;
    encoding: string;
    header: string[];
    line: number;
    message: string;
    fields: string[];
  }>`
    SELECT r.delivery_id, d.business_date, d.encoding, d.header, r.line, r.message, r.fields
    FROM ops.rejected_row r JOIN ops.delivery d USING (delivery_id)
    WHERE r.feed = ${binding.feed} AND r.mended_by IS NULL AND d.header IS NOT NULL
    ORDER BY r.delivery_id, r.line`.execute(warehouse.db);
  const files: ExportedFile[] = [];
  for (const [deliveryId, ofDelivery] of Map.groupBy(rows, (row) => row.delivery_id)) {
    const [first] = ofDelivery;
    if (first === undefined) continue;
    const isText = binding.format === 'csv';
    const delimiter = isText ? binding.delimiter : ',';
    const encoding = isText ? first.encoding : 'utf-8';
    const line = (fields: readonly string[]): Buffer =>
      encodeField(`${fields.map((field) => quoted(field, delimiter)).join(delimiter)}\r\n`, encoding);
    const name = `${binding.feed}_${first.business_date.replaceAll('-', '')}_${deliveryId}`;
    files.push(
      {
        name: `${name}_rejected.csv`,
        rows: ofDelivery.length,
        bytes: Buffer.concat([line(first.header), ...ofDelivery.map(({ fields }) => line(fields))]),
      },
      {
        name: `${name}_reasons.csv`,
        rows: ofDelivery.length,
        bytes: Buffer.concat([
          Buffer.from('\uFEFF行号,原因\r\n'),
          ...ofDelivery.map((row) => Buffer.from(`${row.line},${quoted(row.message, ',')}\r\n`)),
        ]),
      },
    );
  }
  return files;
}

/** RFC 4180: a field with a delimiter, quote or line break is quoted. */
function quoted(field: string, delimiter: string): string {
  const plain = !field.includes(delimiter) && !/["\r\n]/.test(field);
  return plain ? field : `"${field.replaceAll('"', '""')}"`;
}
