import type { PoolClient, QueryResultRow } from 'pg';

const ROWS = 20_000;

/** Hands on the rows of a query one by one, a few thousand in memory at a time. */
export async function readByCursor<Row extends QueryResultRow>(
  client: PoolClient,
  query: string,
  each: (row: Row) => void,
): Promise<void> {
  await client.query('BEGIN');
  await client.query(`DECLARE reading NO SCROLL CURSOR FOR ${query}`);
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${ROWS} FROM reading`);
    rows.forEach(each);
    if (rows.length < ROWS) break;
  }
  await client.query('COMMIT');
}
