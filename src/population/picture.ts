import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import type { RunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';
import { assertCurrentRun } from '../schema/warehouse/fence.ts';
import { updateDwellings } from './dwellings.ts';
import { updateHouseholds } from './households.ts';
import { keepTouched } from './kept.ts';
import { createLookups } from './lookups.ts';
import { updateProfiles } from './profile.ts';
import { publishCounts } from './publish.ts';
import { updateRegisterDivisions } from './register-divisions.ts';
import { updateResidence } from './residence.ts';
import { updateResidencyIndex } from './residency-index.ts';
import { estimateResidents } from './resident-estimate.ts';
import type { PopulationSettings } from './settings.ts';
import type { PictureDay } from './sign-kinds.ts';
import { estimateSignWeights } from './sign-weights.ts';
import { updateSigns } from './signs.ts';
import { updateStanding } from './standing.ts';
import { refreshRegisters } from './statistics.ts';
import type { Survivorship } from './survivorship.ts';
import { addHouseholds, findTouched, gatherMentions, type Progress } from './touched.ts';

/**
 * Brings the picture of the population to the night, in one transaction: profiles, dwellings and households, signs of
 * life, the residency index, where people live and since when, the counts and the estimates. Only persons of whom something changed are looked at;
 * on the first night of a month the weights and everybody's index are made anew. Run again, it finds nothing to do
 * and writes nothing.
 *
 * @param businessDate YYYY-MM-DD; the picture is of the newest date that there was, also when an older one is run late
 * @throws STALE_WORKER
 */
export async function updatePicture(
  warehouse: Warehouse,
  runId: RunId,
  { settings, survivorship }: { readonly settings: PopulationSettings; readonly survivorship: Survivorship },
  businessDate: string,
): Promise<void> {
  await warehouse.db.transaction().execute(async (tx) => {
    await assertCurrentRun(tx, runId);
    // The first picture hashes every person; this is for this transaction alone.
    await sql`SET LOCAL work_mem = '256MB'`.execute(tx);
    const state = await readState(tx, businessDate);
    const day: PictureDay = { asOf: state.asOf, settings };
    await refreshRegisters(tx, state);
    const touched = await findTouched(tx, state, day.asOf);
    await updateRegisterDivisions(tx, state);
    await gatherMentions(tx);
    await updateProfiles(tx, { survivorship, isFirst: state.updatedRun === 0 });
    await updateDwellings(tx);
    await updateHouseholds(tx);
    await addHouseholds(tx);
    await updateStanding(tx, day);
    await updateSigns(tx, day);
    if (state.isNewMonth) await estimateSignWeights(tx, day);
    if (state.isNewMonth) await gatherEverybody(tx);
    await updateResidencyIndex(tx, day, state.isNewMonth ? 'everybody' : 'touched_person');
    await addIndexMoved(tx);
    if (state.updatedRun === 0) await createLookups(tx);
    await keepTouched(tx, runId, state);
    await updateResidence(tx, runId, day);
    await publishCounts(tx, day);
    await estimateResidents(tx, runId, day);
    if (touched > 0 || state.isNewDate)
      await sql`UPDATE population.state SET updated_run = ${runId}, updated_at = now(), as_of = ${day.asOf}`.execute(
        tx,
      );
  });
}

interface State extends Progress {
  readonly asOf: string;
  readonly isNewDate: boolean;
  readonly isNewMonth: boolean;
}

async function readState(tx: Transaction<DB>, businessDate: string): Promise<State> {
  const { rows } = await sql<State>`
    SELECT updated_run AS "updatedRun", updated_at::text AS "updatedAt", greatest(as_of, ${businessDate}::date)  AS "asOf",
           as_of IS NULL OR as_of < ${businessDate}::date AS "isNewDate",
           as_of IS NULL OR date_trunc('month', as_of) < date_trunc('month', ${businessDate}::date) AS "isNewMonth"
    FROM population.state`.execute(tx);
  const [state] = rows;
  if (state === undefined) throw new Error('population.state has one row');
  return state;
}

/** After: temporary table `everybody` has all persons that the picture knows, and the touched. */
async function gatherEverybody(tx: Transaction<DB>): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE everybody ON COMMIT DROP AS
    SELECT person_id FROM population.standing UNION SELECT person_id FROM touched_person`.execute(tx);
  await sql`ANALYZE everybody`.execute(tx);
}

/** Where somebody lives may change with the index alone. */
async function addIndexMoved(tx: Transaction<DB>): Promise<void> {
  await sql`INSERT INTO touched_person SELECT person_id FROM index_moved`.execute(tx);
  await sql`ANALYZE touched_person`.execute(tx);
}
