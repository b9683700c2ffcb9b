import { z } from 'zod';
import type { WeightPart } from '../identity/model/weights.ts';
import { PopshareError } from '../schema/errors.ts';

/** A moment: a Date in the code, ISO 8601 on the wire. */
export const moment = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

/** An id in a path. */
export const idInPath = z.object({ id: z.coerce.number<string>().int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** Which page of a list: `after` is the `next` of the page before. */
export const pageQuery = z.object({
  after: z.string().max(200).optional().describe('`next` of the page before'),
  limit: z.coerce.number<string>().int().min(1).max(200).default(50),
});

/** The same for a list in the order of ids. */
export const idPageQuery = pageQuery.extend({
  after: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .describe('`next` of the page before'),
});

/** Values of a query, separated by commas. */
export function severalOf<Item extends z.ZodType<string, string>>(item: Item) {
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(item).min(1).max(100));
}

/** Why somebody looks, from a list; kept in the audit log. */
export const PURPOSES = [
  'case',
  'review',
  'correction',
  'request of the person',
  'statistics check',
  'supervision',
] as const;
export const purpose = z.enum(PURPOSES).describe('why you look; kept in the audit log with your name');

/** One keyset page of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable().describe('`after` of the next page') });
}

/** A page of a list in the order of ids: one row more than the page has tells that another page follows. */
export function pageAfterId<Row>(
  rows: readonly Row[],
  limit: number,
  idOf: (row: Row) => number,
): { items: Row[]; next: string | null } {
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : String(idOf(last)) };
}

/**
 * Where the page before ended, where that is a number.
 *
 * @throws REQUEST_INVALID
 */
export function numberCursor(after: string | undefined): number | null {
  if (after === undefined) return null;
  if (!/^\d{1,15}$/.test(after)) throw new PopshareError('REQUEST_INVALID', 'this is no end of a page');
  return Number(after);
}

export const words = z.object({ zh: z.string(), en: z.string() });

/** One bar of the waterfall of a weight. */
export const weightPart = z
  .object({
    comparison: z.string(),
    level: z.string().nullable().describe('null where there is no evidence'),
    label: words,
    bits: z.number().describe('of the level'),
    frequency_bits: z.number().describe('of how rare the value is'),
    sum: z.number().describe('the weight up to here'),
  })
  .meta({ id: 'WeightPart' });

/** A part of a weight as it goes out. */
export function wirePart({ frequencyBits, ...part }: WeightPart): z.output<typeof weightPart> {
  return { ...part, frequency_bits: frequencyBits };
}
