import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import { PopshareError } from '../../schema/errors.ts';

/** Severity first, then what is due first; or what is due first, then severity. The id decides between equals. */
export type CaseOrder = 'priority' | 'due';

/** Priority, due date and id of the last row of a page. */
const cursorSchema = z.tuple([z.int(), z.iso.date(), z.int()]);
export type Cursor = z.output<typeof cursorSchema>;

/** The column `severity` as a number: 1 comes first. */
export const PRIORITY = sql`CASE severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END`;

/** Where a row stands before its id decides: its columns `priority` and `due_on`, as the order compares them. */
export function placeOf(order: CaseOrder, row: RawBuilder<unknown>): RawBuilder<unknown> {
  return order === 'priority' ? sql`${row}.priority, ${row}.due_on` : sql`${row}.due_on, ${row}.priority`;
}

/** The end of the page before, as {@link placeOf} says it; null before the first page. */
export function endOf(order: CaseOrder, after: Cursor | null): RawBuilder<unknown> | null {
  if (after === null) return null;
  const [priority, dueOn] = after;
  return order === 'priority'
    ? sql`(${priority}::integer, ${dueOn}::date)`
    : sql`(${dueOn}::date, ${priority}::integer)`;
}

/** A cursor as text that can stand in an address. */
export function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/**
 * Reads what {@link writeCursor} wrote.
 *
 * @throws CASE_INPUT
 */
export function readCursor(text: string): Cursor {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (error) {
    throw new PopshareError('CASE_INPUT', 'this is no end of a page', { cause: error });
  }
}
