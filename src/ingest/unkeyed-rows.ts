import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Binding } from '../schema/configuration/binding.ts';
import type { Contract } from '../schema/contracts/contract.ts';
import type { DB } from '../schema/database.ts';
import type { LandedDelivery } from './delivery.ts';
import { stageTable } from './stage.ts';

/** Values of fields, canonical, by the field's name. */
type Values = Readonly<Record<string, string>>;

/** So many open rows of a feed are compared with a delivery; a department that sends more has other troubles. */
const MOST_COMPARED = 10_000;

/**
 * What a refused row says, as far as it can be read.
 *
 * @param header the source's column names, in the order of the row's cells
 */
function legibleValues(binding: Binding, header: readonly string[], cells: readonly string[]): Values {
  const values: Record<string, string> = {};
  for (const [name, column] of Object.entries(binding.columns)) {
    const given = cells[header.indexOf(column)] ?? '';
    if (!given.isWellFormed() || given.includes('\0')) continue;
    const read = binding.contract.fields[name]?.schema.safeParse(given);
    if (read?.success && read.data !== null) values[name] = read.data;
  }
  return values;
}

/**
 * Which standing records (`r`) a snapshot may have left out only because their row could not be read: those with the
 * document number of a refused row without a key, or, where that has none, with its name. They stay as they are, until
 * a snapshot comes that can be read. A row that says of nobody whom it is about keeps nothing.
 *
 * @returns null when no row of the delivery is of this kind
 */
export async function maybeRefused(
  tx: Transaction<DB>,
  delivery: LandedDelivery,
  binding: Binding,
  header: readonly string[],
): Promise<RawBuilder<boolean> | null> {
  const { rows } = await sql<{ fields: string[] }>`
    SELECT fields FROM ops.rejected_row WHERE delivery_id = ${delivery.deliveryId} AND source_key IS NULL`.execute(
    tx,
  );
  const likely = new Map<string, Set<string>>();
  for (const { fields } of rows) {
    const values = legibleValues(binding, header, fields);
    for (const { idNumber, name } of binding.contract.mentions) {
      const field = idNumber !== undefined && values[idNumber] !== undefined ? idNumber : name;
      const value = values[field];
      if (value !== undefined) likely.set(field, (likely.get(field) ?? new Set()).add(value));
    }
  }
  if (likely.size === 0) return null;
  const conditions = [...likely].map(([field, values]) => sql`r.${sql.id(field)} = ANY (${[...values]})`);
  return sql`coalesce(${sql.join(conditions, sql` OR `)}, false)`;
}

/** An open row without a key, and what it says. */
interface UnkeyedRow {
  readonly id: number;
  readonly values: Values;
}

/**
 * Of the refused rows without a key of an incremental feed, those that this delivery brings again: accepted, now with
 * a key, and otherwise with everything that could be read; or refused once more, cell by cell the same.
 *
 * Before: the delivery's own rejected rows are written, its stage table stands.
 *
 * @returns ids of ops.rejected_row
 */
export async function unkeyedRowsBrought(
  tx: Transaction<DB>,
  delivery: LandedDelivery,
  binding: Binding,
): Promise<number[]> {
  const { rows } = await sql<{ id: number; fields: string[]; header: string[]; again: boolean }>`
    SELECT r.rejected_row_id AS id, r.fields, d.header,
           EXISTS (SELECT FROM ops.rejected_row n WHERE n.delivery_id = ${delivery.deliveryId}
                     AND n.source_key IS NULL AND n.fields::text = r.fields::text) AS again
    FROM ops.rejected_row r JOIN ops.delivery d USING (delivery_id)
    WHERE r.feed = ${delivery.feed} AND r.mended_by IS NULL AND r.source_key IS NULL
      AND r.delivery_id <> ${delivery.deliveryId} AND d.business_date <= ${delivery.businessDate}
    ORDER BY r.rejected_row_id DESC LIMIT ${MOST_COMPARED}`.execute(tx);
  const brought = rows.filter(({ again }) => again).map(({ id }) => id);
  const open = rows
    .filter(({ again }) => !again)
    .map(({ id, fields, header }) => ({ id, values: comparable(binding, header, fields) }));
  for (const anchor of namingFields(binding.contract))
    brought.push(...(await accepted(tx, delivery, anchor, open)));
  return brought;
}

/** The key is what the row lacked, and its time of change is that of the mending. */
function comparable(binding: Binding, header: readonly string[], cells: readonly string[]): Values {
  const { key, updatedAt } = binding.contract;
  const values = Object.entries(legibleValues(binding, header, cells));
  return Object.fromEntries(values.filter(([name]) => !key.includes(name) && name !== updatedAt));
}

/** The fields that say whom a record is about. */
function namingFields({ mentions }: Contract): string[] {
  return [...new Set(mentions.flatMap(({ idNumber, name }) => [...(idNumber ? [idNumber] : []), name]))];
}

/** Those of the rows whose every value stands in one accepted row, `anchor` among them. */
async function accepted(
  tx: Transaction<DB>,
  delivery: LandedDelivery,
  anchor: string,
  open: readonly UnkeyedRow[],
): Promise<number[]> {
  const anchored = open.filter(({ values }) => values[anchor] !== undefined);
  if (anchored.length === 0) return [];
  const { rows } = await sql<{ id: number }>`
    SELECT DISTINCT u.id
    FROM jsonb_to_recordset(${JSON.stringify(anchored)}::jsonb) AS u (id bigint, "values" jsonb)
    JOIN ${sql.id('stage', stageTable(delivery))} s ON s.${sql.id(anchor)} = u."values" ->> ${anchor}
    WHERE NOT EXISTS (SELECT FROM jsonb_each_text(u."values") v
                      WHERE to_jsonb(s) ->> v.key IS DISTINCT FROM v.value)`.execute(tx);
  return rows.map(({ id }) => id);
}
