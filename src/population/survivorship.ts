import path from 'node:path';
import { z } from 'zod';
import { readYamlFile } from '../schema/configuration/yaml-file.ts';
import { CONTRACTS } from '../schema/contracts/index.ts';

/** What a profile says of a person; each is a column of population.person. */
export const ATTRIBUTES = [
  'id_number',
  'name',
  'sex',
  'birth_date',
  'death_date',
  'phone',
  'marital_status',
  'registered_division',
  'registered_address',
  'household_code',
] as const;

export type Attribute = (typeof ATTRIBUTES)[number];

/** In the place of a feed: the birth date and the sex that a valid ID number itself tells (GB 11643). */
export const THE_NUMBER = 'id_number';

const FEEDS: readonly string[] = CONTRACTS.map(({ feed }) => feed);

const criterionSchema = z.enum(['validity', 'agreement', 'trust', 'recency']);

/** By what two values of an attribute are told apart. */
export type Criterion = z.infer<typeof criterionSchema>;

const once = (listed: readonly string[]): boolean => new Set(listed).size === listed.length;

const feedsSchema = z
  .array(z.string().refine((feed) => FEEDS.includes(feed), `expected one of ${FEEDS.join(', ')}`))
  .refine(once, 'expected each feed once');

const survivorshipSchema = z.strictObject({
  trust: feedsSchema,
  attributes: z.record(
    z.enum(ATTRIBUTES),
    z.strictObject({
      order: z.array(criterionSchema).min(1).refine(once, 'expected each criterion once'),
      trust: feedsSchema.optional(),
    }),
  ),
});

/** By what the value of an attribute is chosen. */
interface Preference {
  /** The first criterion that tells two values apart decides. */
  readonly order: readonly Criterion[];
  /** Every feed, most trusted first, then {@link THE_NUMBER}. */
  readonly trust: readonly string[];
}

/** How values are chosen where departments disagree. docs/profile.md is its reference. */
export interface Survivorship {
  /** Every feed, most trusted first. */
  readonly trust: readonly string[];
  readonly attributes: Readonly<Record<Attribute, Preference>>;
}

/**
 * Reads survivorship.yaml.
 *
 * @param folder the configuration folder (POPSHARE_CONFIG)
 * @throws CONFIG_NOT_FOUND, CONFIG_INVALID (file, line, what was expected)
 */
export async function loadSurvivorship(folder: string): Promise<Survivorship> {
  const file = await readYamlFile(path.join(folder, 'survivorship.yaml'), survivorshipSchema);
  const trust = complete(file.trust, FEEDS);
  const preference = (attribute: Attribute): Preference => {
    const { order, trust: own = [] } = file.attributes[attribute];
    return { order, trust: complete(own, [...trust, THE_NUMBER]) };
  };
  return {
    trust,
    attributes: {
      id_number: preference('id_number'),
      name: preference('name'),
      sex: preference('sex'),
      birth_date: preference('birth_date'),
      death_date: preference('death_date'),
      phone: preference('phone'),
      marital_status: preference('marital_status'),
      registered_division: preference('registered_division'),
      registered_address: preference('registered_address'),
      household_code: preference('household_code'),
    },
  };
}

/** What is not listed comes after what is. */
function complete(listed: readonly string[], all: readonly string[]): string[] {
  return [...listed, ...all.filter((feed) => !listed.includes(feed))];
}
