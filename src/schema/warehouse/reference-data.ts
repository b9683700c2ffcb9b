import { sql } from 'kysely';
import type { PoolClient } from 'pg';
import { lunarDate } from '../standards/dates.ts';
import { loadAreaCodes, loadDivisions } from '../standards/divisions.ts';
import type { Warehouse } from './connect.ts';
import { copyRows, openCopy } from './copy.ts';

type Row = readonly (string | null)[];

/** Raise when the data or the way they are read change: the tables are then filled anew at the next migrate. */
const VERSION = '1';

/** The lunar calendar is tabulated for everybody who can be alive, and the children to come. */
const FIRST_LUNAR_YEAR = 1900;
const LAST_LUNAR_YEAR = 2060;

interface ReferenceTable {
  readonly name: string;
  readonly columns: readonly string[];
  rows(): Iterable<Row> | AsyncIterable<Row>;
}

const TABLES: readonly ReferenceTable[] = [
  {
    name: 'area_code',
    columns: ['code', 'name', 'level', 'from_year', 'to_year', 'successors'],
    rows: areaCodeRows,
  },
  { name: 'division', columns: ['code', 'name', 'level', 'parent'], rows: divisionRows },
  { name: 'lunar_date', columns: ['solar_date', 'lunar_date'], rows: lunarRows },
];

/** Fills the reference tables, each in one transaction, when their version changed. Afterwards they are whole. */
export async function loadReferenceData(warehouse: Warehouse): Promise<void> {
  for (const table of TABLES) {
    const client = await warehouse.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query("SELECT pg_advisory_xact_lock(hashtext('popshare.reference'))");
      const loaded = await client.query<{ version: string }>(
        'SELECT version FROM reference.loaded WHERE name = $1',
        [table.name],
      );
      if (loaded.rows[0]?.version !== VERSION) await fill(client, table);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }
  await sql`ANALYZE reference.area_code, reference.division, reference.lunar_date`.execute(warehouse.db);
}

async function fill(client: PoolClient, table: ReferenceTable): Promise<void> {
  await client.query(`DELETE FROM reference.${table.name}`);
  const copy = openCopy(client, `COPY reference.${table.name} (${table.columns.join(', ')}) FROM STDIN`);
  let batch: Row[] = [];
  for await (const row of table.rows()) {
    batch.push(row);
    if (batch.length === 5000) {
      await copy.write(copyRows(batch));
      batch = [];
    }
  }
  await copy.write(copyRows(batch));
  await copy.finish();
  await client.query(
    `INSERT INTO reference.loaded (name, version) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = excluded.version`,
    [table.name, VERSION],
  );
}

function* areaCodeRows(): Iterable<Row> {
  for (const area of loadAreaCodes()) {
    const until = area.toYear === null ? null : String(area.toYear);
    yield [area.code, area.name, area.level, String(area.fromYear), until, `{${area.successors.join(',')}}`];
  }
}

async function* divisionRows(): AsyncIterable<Row> {
  for await (const division of loadDivisions())
    yield [division.code, division.name, division.level, division.parent];
}

function* lunarRows(): Iterable<Row> {
  const day = new Date(Date.UTC(FIRST_LUNAR_YEAR, 0, 31));
  while (day.getUTCFullYear() <= LAST_LUNAR_YEAR) {
    const solar = day.toISOString().slice(0, 10);
    yield [solar, String(lunarDate(solar))];
    day.setUTCDate(day.getUTCDate() + 1);
  }
}
