import path from 'node:path';
import { z } from 'zod';
import { readYamlFile } from '../schema/configuration/yaml-file.ts';
import { SIGN_KINDS } from './sign-kinds.ts';

const share = z.number().min(0).max(1);
const months = z.int().min(1).max(120);

/** Every kind of sign has its default, and nothing else has one. */
const defaultsSchema = z.strictObject(Object.fromEntries(SIGN_KINDS.map((kind) => [kind, share])));

const settingsSchema = z.strictObject({
  index: z.strictObject({
    periods: z.int().min(2).max(20),
    stability: share,
    growth: share,
    threshold: share,
  }),
  half_year_months: months,
  payment_speaks_months: months,
  report_speaks_months: months,
  infant_years: z.int().min(0).max(6),
  weights: z.strictObject({
    least_occurrences: z.int().min(1),
    informative: share,
    defaults: defaultsSchema,
  }),
});

/** `population.yaml`, and the county of `popshare.yaml`. */
export interface PopulationSettings extends z.output<typeof settingsSchema> {
  /** Six digits (GB/T 2260). */
  readonly county: string;
}

/**
 * Reads how the population picture is made.
 *
 * @param folder the configuration folder (POPSHARE_CONFIG)
 * @param county the six digits of the county
 * @throws CONFIG_NOT_FOUND, CONFIG_INVALID (file, line, what was expected)
 */
export async function loadPopulationSettings(folder: string, county: string): Promise<PopulationSettings> {
  return { ...(await readYamlFile(path.join(folder, 'population.yaml'), settingsSchema)), county };
}
