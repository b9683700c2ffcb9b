import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';

/**
 * Everything that some tally counts by, as columns of a case; what there is none of is the empty text. A tally is a view
 * of its book and of the journal `tally_move`, where changes wait as differences until somebody enters them
 * (`anomalies.enter_moves`).
 */
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
    await sql`SELECT anomalies.enter_moves(${ENOUGH})`.execute(db);
  } catch {
    // Told to nobody: an officer's click has succeeded.
  }
}

/** Enters the journal in the books, unless somebody else is at it. */
export async function foldTallies(tx: Transaction<DB>): Promise<void> {
  await sql`SELECT anomalies.enter_moves(1)`.execute(tx);
}

/** Enters the journal, and takes cells that have no cases any more out of the books, unless somebody else is at it. */
export async function tidyTallies(tx: Transaction<DB>): Promise<void> {
  await sql`SELECT anomalies.tidy_tallies()`.execute(tx);
}
