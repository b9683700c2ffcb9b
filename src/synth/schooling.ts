import type { County } from './county.ts';
import { guardianOf } from './families.ts';
import { ageOf, type Person } from './population.ts';
import { share } from './random.ts';

const SHARE_ENROLLED = 0.97;

/** Whether someone goes to school in the county: nearly all who live here, from the seventh year of life on. */
export function isPupil(county: County, person: Person): boolean {
  const age = ageOf(county, person);
  if (age < 6.2 || age >= 18 || !person.livesHere || person.death !== undefined) return false;
  return share(county.seed, 305, person.number) < SHARE_ENROLLED;
}

/** Neither the pupil nor the guardian is registered here, as a native or as a resident (rule MP04). */
export function isUnregisteredPupil(person: Person): boolean {
  return [person, guardianOf(person)].every(
    ({ registered, residence }) => !registered && residence === undefined,
  );
}
