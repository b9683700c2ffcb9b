import { type CaseFilter, divisionPrefix, readFilter } from '../anomalies/queue/filter.ts';
import type { Actor } from '../anomalies/queue/transitions.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Principal } from './access.ts';

/** Who acts upon cases: a permission has let them through, so whoever is no supervisor is an officer. */
export function actorOf({ name, role }: Principal): Actor {
  return { name, role: role === 'supervisor' ? 'supervisor' : 'officer' };
}

/**
 * A filter within the scope of whoever asks: without a division or department it gets theirs. The warehouse would
 * leave out what is outside anyway; with the scope in the filter it does not look there, and says so.
 *
 * @throws CASE_INPUT when it is no filter; FORBIDDEN when it asks outside the scope
 */
export function scopedFilter({ division, department }: Principal, given: object): CaseFilter {
  const filter = readFilter(
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
  if (
    division !== null &&
    filter.division !== undefined &&
    !divisionPrefix(filter.division).startsWith(division)
  )
    throw new PopshareError('FORBIDDEN', `division ${filter.division} is outside ${division}`);
  if (department !== null && filter.department?.some((asked) => asked !== department))
    throw new PopshareError('FORBIDDEN', `your department is ${department}`);
  return {
    ...filter,
    ...(division !== null && { division: filter.division ?? division }),
    ...(department !== null && { desk: department }),
  };
}
