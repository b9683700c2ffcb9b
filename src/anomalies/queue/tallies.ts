import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';

/**
 * What each tally counts by, and which cases it counts: first by county, then by township, then the open cases that
 * each delivery brought. A tally is a view of its book and of the journal `tally_move`, where changes wait as
 * differences until somebody enters them.
 */
const TALLIES = [
  {
    book: sql`anomalies.tally_book`,
    cell: sql`lane, status, county, department, severity, returned_to`,
    counts: sql`true`,
  },
  {
    book: sql`anomalies.tally_day_book`,
    cell: sql`status, priority, due_on, county, department, returned_to`,
    counts: sql`severity <> 'info'`,
  },
  {
    book: sql`anomalies.tally_due_book`,
    cell: sql`lane, cause, status, due_on, county, priority, department, severity, returned_to`,
    counts: sql`severity <> 'info'`,
    // What is asked for days finds them side by side.
    order: sql`ORDER BY due_on`,
  },
  {
    book: sql`anomalies.tally_town_book`,
    cell: sql`town, lane, status, department, severity, returned_to`,
    counts: sql`true`,
  },
  {
    book: sql`anomalies.tally_town_day_book`,
    cell: sql`town, status, priority, due_on, department, returned_to`,
    counts: sql`severity <> 'info'`,
  },
  {
    book: sql`anomalies.tally_town_due_book`,
    cell: sql`town, lane, cause, status, due_on, priority, department, severity, returned_to`,
    counts: sql`severity <> 'info'`,
  },
  {
    book: sql`anomalies.tally_group_book`,
    cell: sql`lane, cause`,
    counts: sql`severity <> 'info' AND status IN ('new', 'assigned', 'returned') AND cause <> ''`,
  },
];

/** Everything that some tally counts by, as columns of a case; what there is none of is the empty text. */
const CELL = sql`
  due_on, CASE severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END AS priority, lane, department, severity,
  status, county, town, coalesce(cause, '') AS cause, coalesce(returned_to, '') AS returned_to`;

/**
 * What writes a change of cases into the journal, as parts of a WITH. Rows are only added, so writers never wait for
 * each other.
 *
 * @param before the cases as they were; none where they are new
 */
export function counting(
  before: RawBuilder<unknown> | null,
  after: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const gone = before === null ? sql`` : sql`UNION ALL SELECT ${CELL}, -1 FROM ${before}`;
  const columns = sql`due_on, priority, lane, department, severity, status, county, town, cause, returned_to`;
  return sql`counted AS (
    INSERT INTO anomalies.tally_move (${columns}, cases)
    SELECT ${columns}, sum(one) FROM (SELECT ${CELL}, 1 AS one FROM ${after} ${gone}) moved
    GROUP BY ${columns} HAVING sum(one) <> 0)`;
}

/** With fewer rows than these in the journal, pages are as fast as without. */
const ENOUGH = 500;

/**
 * Enters the journal in the books, if enough waits there and nobody else is at it. Whoever reads at the same time sees
 * the one or the other, and the same sums. To be called after a transaction that changed cases: that one is safe
 * whatever happens here, and what is not entered now is entered by the next.
 */
export async function enterMoves({ db }: Queryable): Promise<void> {
  try {
    const { rows } = await sql`SELECT FROM anomalies.tally_move OFFSET ${ENOUGH - 1} LIMIT 1`.execute(db);
    if (rows.length > 0) await db.transaction().execute(foldTallies);
  } catch {
    // Told to nobody: an officer's click has succeeded.
  }
}

/** Enters the journal in the books, unless somebody else is at it. */
export async function foldTallies(tx: Transaction<DB>): Promise<void> {
  if (!(await isMyTurn(tx))) return;
  const entered = TALLIES.map(
    ({ book, cell, counts, order = sql`` }, index) => sql`${sql.ref(`entered_${index}`)} AS (
      INSERT INTO ${book} AS b (${cell}, cases)
      SELECT ${cell}, sum(cases) FROM gone WHERE ${counts} GROUP BY ${cell} HAVING sum(cases) <> 0 ${order}
      ON CONFLICT (${cell}) DO UPDATE SET cases = b.cases + excluded.cases)`,
  );
  await sql`
    WITH gone AS MATERIALIZED (DELETE FROM anomalies.tally_move RETURNING *), ${sql.join(entered)}
    SELECT`.execute(tx);
}

/** Enters the journal, and takes cells that have no cases any more out of the books. */
export async function tidyTallies(tx: Transaction<DB>): Promise<void> {
  await foldTallies(tx);
  if (!(await isMyTurn(tx))) return;
  for (const { book } of TALLIES) await sql`DELETE FROM ${book} WHERE cases = 0`.execute(tx);
}

/** One at a time writes in the books, until its transaction ends. */
async function isMyTurn(tx: Transaction<DB>): Promise<boolean> {
  const { rows } = await sql<{ mine: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtext('popshare.tallies')) AS mine`.execute(tx);
  return rows[0]?.mine === true;
}
