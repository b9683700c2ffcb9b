import { mkdir, readdir } from 'node:fs/promises';
import { PopshareError } from '../schema/errors.ts';
import { parseDashedDate } from './calendar.ts';
import { type County, PERSONS_IN_BLOCK } from './county.ts';
import { deliverNight } from './nights.ts';
import { placesOf } from './places.ts';
import { openTruthTables } from './truth.ts';

/** Beyond this, ID numbers of one county would run short. */
const MOST_PERSONS = 5_000_000;
const MOST_NIGHTS = 365;
/** 崆峒区, the county of the shipped sample. */
const DEFAULT_COUNTY = '620802';
const DEFAULT_FIRST_DATE = '2026-11-18';

export interface SynthesiseOptions {
  /** True persons, dead and living, natives and people from elsewhere: 1 to 5,000,000. */
  persons: number;
  /** Nights of deliveries, 1 to 365; the last of three or more carries delivery faults. */
  nights: number;
  seed: number;
  /** A folder that is empty or does not exist. */
  out: string;
  /** Six digits (GB/T 2260). */
  county?: string;
  /** The business date of night 1, `YYYY-MM-DD`. */
  firstDate?: string;
  /** Told of each delivery of a night when the night is written; `rows` is what its control file tells. */
  onProgress?: (done: { night: number; feed: string; rows: number }) => void;
}

/**
 * Writes invented deliveries of any size: `deliveries/<department>/<feed>_<YYYYMMDD>.<ext>` with control files,
 * and beside them `truth.tsv`, `persons.tsv`, `planted.tsv` and `sent.tsv`. The same options give the same
 * bytes. Memory does not grow with the number of persons; docs/synth.md tells how.
 *
 * @returns the delivered files (control files not counted) and the data rows that their control files tell
 * @throws PopshareError OUTPUT_EXISTS when the folder is not empty
 * @throws PopshareError USAGE for a number, county or date that cannot be
 */
export async function synthesise(options: SynthesiseOptions): Promise<{ files: number; rows: number }> {
  const county = await countyOf(options);
  await makeEmptyFolder(options.out);
  const tables = await openTruthTables(options.out);
  let files = 0;
  let rows = 0;
  for (let night = 1; night <= county.nights; night += 1) {
    for (const arrived of await deliverNight(county, night, options.out, tables)) {
      files += 1;
      rows += arrived.rows;
      options.onProgress?.({ night, ...arrived });
    }
  }
  for (const table of Object.values(tables)) await table.close();
  return { files, rows };
}

async function countyOf(options: SynthesiseOptions): Promise<County> {
  const firstDay = parseDashedDate(options.firstDate ?? DEFAULT_FIRST_DATE);
  if (firstDay === undefined)
    throw new PopshareError('USAGE', `${options.firstDate} is no date; write YYYY-MM-DD.`);
  requireInteger('The number of persons', options.persons, 1, MOST_PERSONS);
  requireInteger('The number of nights', options.nights, 1, MOST_NIGHTS);
  requireInteger('The seed', options.seed, 0, 0xffff_ffff);
  return {
    seed: options.seed,
    persons: options.persons,
    nights: options.nights,
    firstDay,
    places: await placesOf(options.county ?? DEFAULT_COUNTY),
    blocks: Math.ceil(options.persons / PERSONS_IN_BLOCK),
  };
}

function requireInteger(what: string, value: number, from: number, to: number): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new PopshareError('USAGE', `${what} must be a whole number from ${from} to ${to}.`);
}

async function makeEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const found = await readdir(folder);
  if (found.length > 0) throw new PopshareError('OUTPUT_EXISTS', `The folder ${folder} is not empty.`);
}
