import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { runNight } from '../../src/jobs/nightly.ts';
import { loadConfiguration } from '../../src/schema/configuration/load.ts';
import type { Warehouse } from '../../src/schema/warehouse/connect.ts';
import { synthesise } from '../../src/synth/synthesise.ts';
import { measureMemory, type PeakMemory } from './memory.ts';

const FIRST_NIGHT = '2026-11-18';

/** What popshare's first reconciliation took. */
export interface FirstNight {
  /** Milliseconds of the identity step, as the night's report has it. */
  readonly identity: number;
  readonly memory: PeakMemory;
}

/** The folder of an invented county, the same that bench/identity.ts uses; made when missing. */
export async function inventedCounty(persons: number, seed: number): Promise<string> {
  const out = path.join('bench', '.data', `county-${persons}-seed-${seed}`);
  const exists = await readFile(path.join(out, 'sent.tsv')).catch(() => null);
  if (exists === null) await synthesise({ persons, nights: 3, seed, out });
  return out;
}

/**
 * The county's first night: everything arrives, everybody is linked for the first time.
 *
 * @param options.dataFolder where the deliveries land
 * @param options.processes the roots of the process trees that belong to popshare, for the memory
 */
export async function firstNight(
  warehouse: Warehouse,
  county: string,
  options: { readonly dataFolder: string; readonly processes: readonly number[] },
): Promise<FirstNight> {
  let measurement: ReturnType<typeof measureMemory> | undefined;
  let memory: PeakMemory = null;
  const report = await runNight({
    warehouse,
    configuration: await loadConfiguration('config'),
    rules: (await loadRules('config/rules')).filter(({ rule }) => rule === 'ID01'),
    dataFolder: options.dataFolder,
    dropFolder: path.join(county, 'deliveries'),
    businessDate: FIRST_NIGHT,
    purpose: 'nightly',
    feeds: [],
    progress: {
      stepBegan: (name) => {
        if (name === 'identity') measurement = measureMemory(options.processes);
      },
      stepEnded: (name) => {
        if (name === 'identity') memory = measurement?.stop() ?? null;
      },
      rows: () => {},
    },
  });
  return { identity: report.identity.ms, memory };
}
