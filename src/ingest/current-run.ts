import type { Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { assertCurrentRun } from '../schema/warehouse/fence.ts';
import type { RunContext } from './delivery.ts';

/**
 * Does in one transaction what a run may do only while it is the current one. Whatever is written for a delivery
 * is written through this.
 *
 * @throws STALE_WORKER; nothing is committed then
 */
export async function asCurrentRun<Result>(
  { warehouse, runId }: Pick<RunContext, 'warehouse' | 'runId'>,
  work: (tx: Transaction<DB>) => Promise<Result>,
): Promise<Result> {
  return warehouse.db.transaction().execute(async (tx) => {
    await assertCurrentRun(tx, runId);
    return work(tx);
  });
}
