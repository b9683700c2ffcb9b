import { sql, type Transaction } from 'kysely';
import type { DB } from '../database.ts';
import { PopshareError } from '../errors.ts';
import type { RunId } from '../ids.ts';

/**
 * Lets a transaction commit only while its run is the current one (the fencing token is the run's id).
 * Call it first in every transaction that writes for a run: the row stays locked until the commit, so a
 * successor cannot begin in between.
 *
 * @throws STALE_WORKER when another run has taken over
 */
export async function assertCurrentRun(tx: Transaction<DB>, runId: RunId): Promise<void> {
  const { rows } = await sql<{ run_id: number }>`SELECT run_id FROM ops.fence FOR SHARE`.execute(tx);
  if (rows[0]?.run_id !== runId) {
    throw new PopshareError(
      'STALE_WORKER',
      `run ${runId} has been overtaken by run ${rows[0]?.run_id ?? 'unknown'}`,
    );
  }
}
