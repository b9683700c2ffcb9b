import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { synthesise } from '../src/synth/synthesise.ts';

/** The business dates of an invented county's three nights. */
export const NIGHTS = ['2026-11-18', '2026-11-19', '2026-11-20'] as const;

/** The folder of an invented county with its truth; made once, and then kept. */
export async function inventedCounty(persons: number, seed: number): Promise<string> {
  const out = path.join('bench', '.data', `county-${persons}-seed-${seed}`);
  const exists = await readFile(path.join(out, 'sent.tsv')).catch(() => null);
  if (exists === null) await synthesise({ persons, nights: NIGHTS.length, seed, out });
  return out;
}
