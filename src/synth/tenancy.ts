import { ageOf, type Block, type Household, type Lease, type Person } from './population.ts';

const SHARE_OF_MIGRANTS_WITH_LEASE = 0.5;
const SHARE_OF_SEPARATED_WITH_LEASE = 0.3;
const SHARE_CROWDED = 0.008;
const SHARE_OF_DEAD_LANDLORDS = 0.03;
const SHARE_OF_UNKNOWN_DWELLINGS = 0.015;

/** Lets dwellings of the block's residents to households that live away from their registration. */
export function letDwellings(block: Block): void {
  const { random } = block;
  const landlords = block.persons.filter((person) => mayLet(block, person));
  for (const household of block.households) {
    const tenant = tenantOf(block, household);
    if (tenant === undefined || landlords.length === 0) continue;
    const wanted =
      household.standing === 'migrant' ? SHARE_OF_MIGRANTS_WITH_LEASE : SHARE_OF_SEPARATED_WITH_LEASE;
    if (!random.chance(wanted)) continue;
    const landlord = random.pick(landlords);
    if (landlord.household === household) continue;
    const lease = leaseFor(block, household, tenant, landlord);
    if (random.chance(SHARE_OF_DEAD_LANDLORDS)) lease.landlord = diedSince(block, lease.from) ?? landlord;
    block.leases.push(lease);
  }
  // A home that is not let has no code that housing knows.
  const rented = new Set(block.leases.map((lease) => lease.household));
  for (const household of block.households) {
    const elsewhere = household.standing === 'migrant' || household.standing === 'separated';
    if (!elsewhere || rented.has(household)) continue;
    household.unknownDwelling = random.chance(SHARE_OF_UNKNOWN_DWELLINGS);
    if (!household.unknownDwelling) household.homeDwelling = '';
  }
}

function leaseFor(block: Block, household: Household, tenant: Person, landlord: Person): Lease {
  const { random } = block;
  const from = leaseStart(block, household);
  const present = household.members.filter(({ livesHere, death }) => livesHere && death === undefined).length;
  const crowded = random.chance(SHARE_CROWDED);
  const floorArea = crowded ? random.between(30, 60) : random.between(45, 145);
  return {
    household,
    tenant,
    landlord,
    landlordOwns: random.chance(0.75),
    floorArea,
    occupants: crowded ? Math.floor(floorArea / 5) + random.between(1, 4) : Math.max(1, present),
    from,
    to: from + random.between(1, 3) * 365 - 1,
    enters: Math.max(tenant.enters, landlord.enters),
  };
}

/** Someone who let a dwelling and died while it was let (rule ID07). */
function diedSince({ persons }: Block, day: number): Person | undefined {
  return persons.find(({ death, livesHere, exact }) => {
    return livesHere && !exact && death !== undefined && death.registeredOnNight === 1 && death.day > day;
  });
}

function mayLet(block: Block, person: Person): boolean {
  return (
    person.registered &&
    person.livesHere &&
    person.death === undefined &&
    person.household.standing === 'local' &&
    ageOf(block.county, person) > 25
  );
}

function tenantOf(block: Block, household: Household): Person | undefined {
  if (household.standing !== 'migrant' && household.standing !== 'separated') return undefined;
  return household.members.find(
    (person) => person.livesHere && person.death === undefined && ageOf(block.county, person) > 18,
  );
}

/** Within the last two years; never about a month ago, so that rule MP02 does not depend on the hour. */
function leaseStart(block: Block, household: Household): number {
  const { county, random } = block;
  const arrivedOnNight = household.members[0]?.enters ?? 1;
  if (arrivedOnNight > 1) return county.firstDay + arrivedOnNight - 2;
  const since = Math.max(household.arrived, county.firstDay - 730);
  const start = random.between(since, county.firstDay - 2);
  const days = county.firstDay - start;
  return days > 18 && days < 45 ? county.firstDay - 15 : start;
}
