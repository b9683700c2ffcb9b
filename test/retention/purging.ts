import { type Purged, type PurgeOrder, previewPurge, purge } from '../../src/jobs/retention/purge.ts';
import { openRun } from '../../src/jobs/run.ts';
import type { RetentionSettings } from '../../src/schema/configuration/retention.ts';
import type { useCounty } from '../support/drop.ts';

type County = ReturnType<typeof useCounty>;

/** Everything goes that nothing needs, however young. */
const NOTHING_IS_KEPT: RetentionSettings = {
  landed_files: 0,
  rejected_rows: 0,
  closed_cases: 0,
  registry_history: 0,
  former_mentions: 0,
  notices: 0,
  sessions: 0,
};

/** Long after every test. */
const LATER = '2099-01-01';

function orderOf(county: County, settings: Partial<RetentionSettings>, asOf: string): PurgeOrder {
  return {
    warehouse: county.warehouse,
    settings: { ...NOTHING_IS_KEPT, ...settings },
    dataFolder: county.data,
    asOf,
    now: new Date(),
  };
}

/** Purges in a run of its own, and says how much of what went. */
export async function purgeAll(
  county: County,
  settings: Partial<RetentionSettings> = {},
  asOf = LATER,
): Promise<Record<string, number>> {
  const order = orderOf(county, settings, asOf);
  const preview = countsOf(await previewPurge(order));
  const run = await openRun(county.warehouse, asOf, 'purge');
  try {
    const purged = countsOf(await purge(order, run.runId, 'officer'));
    if (JSON.stringify(purged) !== JSON.stringify(preview))
      throw new Error(`announced ${JSON.stringify(preview)}, done ${JSON.stringify(purged)}`);
    return purged;
  } finally {
    await run.close('done', null);
  }
}

function countsOf(purged: readonly Purged[]): Record<string, number> {
  return Object.fromEntries(purged.filter(({ count }) => count > 0).map(({ what, count }) => [what, count]));
}
