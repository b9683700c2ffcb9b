import { parentsOf } from './families.ts';
import type { Block, Household, Person } from './population.ts';

/** Birth certificates of the last two years are on file. */
const DAYS_ON_FILE = 730;
const SHARE_UNNAMED = 0.2;
/** Of native births: not in the household register (rule ID12), not known to any department (MP10). */
const SHARE_NOT_REGISTERED = 0.05;
const SHARE_UNKNOWN = 0.06;
/** Of births in households with an old woman: certified under her papers (rule ID13). */
const SHARE_UNDER_GRANDMOTHER = 0.2;
/** Older than this at the birth, a mother is old beyond the limit of rule ID13, whatever the month. */
const TOO_OLD = 56.5 * 365.25;

/** Gives the youngest children of a household their birth certificates, or takes their registration away. */
export function certifyBirths(block: Block, household: Household): void {
  const { county, random } = block;
  for (const child of household.members) {
    const { mother, father } = parentsOf(child);
    if (mother === undefined || child.birth < county.firstDay - DAYS_ON_FILE) continue;
    // Of people from elsewhere, those who were born here.
    if (household.standing === 'migrant' && child.birth <= household.arrived) continue;
    child.birthRecord = {
      mother,
      father,
      named: !random.chance(SHARE_UNNAMED),
      certified: true,
      underGrandmother: false,
    };
    if (household.standing !== 'migrant') plantBirthCase(block, child, child.birthRecord);
  }
}

function plantBirthCase(
  { county, random }: Block,
  child: Person,
  record: NonNullable<Person['birthRecord']>,
): void {
  const { mother } = record;
  const age = county.firstDay - child.birth;
  const isSettled = child.enters === 1 && child.death === undefined && mother.death === undefined;
  if (!isSettled || mother.enters > 1) return;
  const old = child.household.members.find(
    ({ sex, birth, death }) => sex === 2 && death === undefined && child.birth - birth > TOO_OLD,
  );
  if (age > 60 && random.chance(SHARE_NOT_REGISTERED)) {
    child.registered = false;
  } else if (age > 45 && age < 200 && random.chance(SHARE_UNKNOWN)) {
    child.registered = false;
    record.named = true;
    record.certified = false;
  } else if (old !== undefined && random.chance(SHARE_UNDER_GRANDMOTHER)) {
    record.mother = old;
    record.underGrandmother = true;
  } else {
    return;
  }
  child.exact = record.mother.exact = true;
}
