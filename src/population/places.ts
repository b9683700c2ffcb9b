import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { addressParts, normaliseAddress } from '../schema/standards/addresses.ts';

const BATCH = 20_000;

const VILLAGE_ENDING = /(?:村民委员会|村委会|社区居民委员会|社区居委会|居民委员会|居委会|社区|村)$/;
const VILLAGE_WORD = /^(?:行政村|社区|村)/;

/**
 * What an address says between its division and the house number: a street, a group, often nothing. The names of
 * the division's levels are taken away where the address begins with them, whether it writes them all or not; the
 * village's also without its ending (长沟门 for 长沟门村委会).
 *
 * @param written the part of the address before the number ({@link addressParts})
 * @param names of province, prefecture, county and township as the code table has them; null where it has none
 * @param village the name of the village
 */
export function streetWithin(
  written: string,
  names: readonly (string | null)[],
  village: string | null,
): string {
  let rest = written;
  for (const name of names) if (name !== null && rest.startsWith(name)) rest = rest.slice(name.length);
  const stem = village?.replace(VILLAGE_ENDING, '') ?? '';
  if (stem === '' || !rest.startsWith(stem)) return rest;
  return rest.slice(stem.length).replace(VILLAGE_WORD, '');
}

/** A division and an address within it, with the names of the division's five levels. */
interface Written {
  readonly division: string;
  readonly address: string;
  readonly names: readonly (string | null)[];
  readonly village: string | null;
}

/**
 * Takes the addresses of stays apart.
 *
 * Before: temporary tables `stay` and `place`. After: `place` has each division and address of `stay` with its parts
 * and its key: division, street, number and room, as they are compared; null for an address without a number, which
 * is a whole village.
 */
export async function placeAddresses(tx: Transaction<DB>): Promise<void> {
  await sql`
    DECLARE unplaced CURSOR FOR
    WITH unplaced AS (
      SELECT DISTINCT division, address FROM stay s
      WHERE division IS NOT NULL AND address IS NOT NULL
        AND NOT EXISTS (SELECT FROM place k WHERE k.division = s.division AND k.address = s.address)),
    named AS (
      SELECT d.division, ARRAY[p.name, f.name, c.name, t.name] AS names, v.name AS village
      FROM (SELECT DISTINCT division FROM unplaced) d
      LEFT JOIN reference.division p ON p.code = left(d.division, 2) || '0000000000'
      LEFT JOIN reference.division f ON f.code = left(d.division, 4) || '00000000'
      LEFT JOIN reference.division c ON c.code = left(d.division, 6) || '000000'
      LEFT JOIN reference.division t ON t.code = left(d.division, 9) || '000'
      LEFT JOIN reference.division v ON v.code = d.division AND v.level = 'village')
    SELECT division, address, names, village FROM unplaced JOIN named USING (division)`.execute(tx);
  for (;;) {
    const { rows } = await sql<Written>`FETCH ${sql.lit(BATCH)} FROM unplaced`.execute(tx);
    if (rows.length === 0) break;
    await storePlaces(tx, rows);
  }
  await sql`CLOSE unplaced`.execute(tx);
  await sql`ANALYZE place`.execute(tx);
}

async function storePlaces(tx: Transaction<DB>, written: readonly Written[]): Promise<void> {
  const places = written.map(({ division, address, names, village }) => {
    const parts = addressParts(normaliseAddress(address));
    const street = streetWithin(parts.village, names, village);
    const key = parts.number === null && parts.room === null ? null : keyOf(division, street, parts);
    return { division, address, street, number: parts.number, room: parts.room, key };
  });
  const column = (name: keyof (typeof places)[number]): (string | null)[] =>
    places.map((place) => place[name]);
  await sql`
    INSERT INTO place (division, address, street, number, room, address_key)
    SELECT division, address, nullif(street, ''), number, room, key
    FROM unnest(${column('division')}::text[], ${column('address')}::text[], ${column('street')}::text[],
                ${column('number')}::text[], ${column('room')}::text[], ${column('key')}::text[])
         AS taken_apart (division, address, street, number, room, key)`.execute(tx);
}

function keyOf(
  division: string,
  street: string,
  { number, room }: { readonly number: string | null; readonly room: string | null },
): string {
  return [division, street, number ?? '', room ?? ''].join('|');
}
