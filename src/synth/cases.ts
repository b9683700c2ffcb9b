import { guardianOf } from './families.ts';
import { addressIn, otherVillage } from './homes.ts';
import { underAreaCode } from './identity-numbers.ts';
import { ageOf, type Block, type Person } from './population.ts';
import { isPupil, isUnregisteredPupil } from './schooling.ts';
import { reportToVillages } from './village-events.ts';

/** Shares of the persons concerned; docs/synth.md lists them. */
const SHARES = {
  deathUnregistered: 0.07,
  deathUnknown: 0.2,
  deathMisdated: 0.012,
  insuredAgain: 0.004,
  registeredSingle: 0.006,
  secondResidence: 0.008,
  insuranceNotStopped: 0.11,
  notCancelled: 0.06,
  stillSupported: 0.4,
  borrowedNumber: 0.0008,
  registeredTwice: 0.0006,
  marriedTwice: 0.003,
} as const;

/**
 * Plants the cases in which departments contradict each other (rules DQ15, ID01, ID02, ID05 to ID11,
 * ID15, ID16, MP06, MP08, MP10), and marks everyone who carries such a case or one of MP01 to MP04 as exact: the case then
 * stands or falls with the rule, not with a slip of the pen elsewhere.
 */
export function addCases(block: Block): void {
  for (const person of block.persons) if (hasResidenceCase(block, person)) person.exact = true;
  for (const { tenant, landlord } of block.leases) {
    if (isUnregisteredTenant(tenant) || landlord.death !== undefined) tenant.exact = landlord.exact = true;
  }
  for (const person of block.persons) {
    if (isPupil(block.county, person) && isUnregisteredPupil(person)) {
      person.exact = guardianOf(person).exact = true;
    }
  }
  for (const person of block.persons) leaveUnregistered(block, person);
  for (const person of block.persons) leaveUnstopped(block, person);
  for (const person of block.persons) insureAgain(block, person);
  for (const person of block.persons) registerElsewhere(block, person);
  for (const person of block.persons) registerTwice(block, person);
  for (const person of block.persons) borrowNumber(block, person);
  for (const marriage of [...block.marriages]) marryAgain(block, marriage);
  for (const marriage of block.marriages) keepSingle(block, marriage);
  reportToVillages(block);
}

/** Residence registration expired, insured here all the same (MP01); or insured for half a year without (MP03). */
function hasResidenceCase(block: Block, person: Person): boolean {
  if (person.registered || person.insurance === undefined) return false;
  return person.residence === undefined || person.residence.until < block.county.firstDay;
}

/** A tenant who is registered neither as a native nor as a resident (MP02). */
export function isUnregisteredTenant(tenant: Person): boolean {
  return !tenant.registered && tenant.residence === undefined;
}

/** Deaths of which civil affairs never heard (rule ID09), and some recent ones of which nobody did (MP10). */
function leaveUnregistered(block: Block, person: Person): void {
  const { county, random } = block;
  const { death, insurance, trade } = person;
  if (death === undefined || death.unknown || death.registeredOnNight > 1) return;
  if (death.day > county.firstDay - 60 || block.leases.some(({ landlord }) => landlord === person)) return;
  const isRecent = death.day > county.firstDay - 190;
  // A widowed spouse in the register would mean that somebody knows.
  death.unknown =
    isRecent && person.livesHere && person.marital !== '20' && random.chance(SHARES.deathUnknown);
  death.unregistered = death.unknown || random.chance(SHARES.deathUnregistered);
  death.misdated = !death.unregistered && random.chance(SHARES.deathMisdated);
  if (death.unregistered || death.misdated) person.exact = true;
  if (!death.unregistered) return;
  death.notCancelled = death.stillSupported = death.unknown;
  if (insurance !== undefined) insurance.notStopped = death.unknown;
  if (trade !== undefined) trade.cancelled = !death.unknown;
}

function leaveUnstopped(block: Block, person: Person): void {
  const { county, random } = block;
  const { death, insurance, trade } = person;
  // Sixty days: more than the 31 of the rules, on the first night as on the last.
  if (death === undefined || death.registeredOnNight > 1) return;
  if (trade?.cancelled === false) person.exact = true;
  if (death.unregistered || death.day > county.firstDay - 60) return;
  if (insurance !== undefined && random.chance(SHARES.insuranceNotStopped)) insurance.notStopped = true;
  if (random.chance(SHARES.notCancelled)) death.notCancelled = true;
  const supported = person.household.allowanceSince;
  if (supported !== undefined && supported < death.day && random.chance(SHARES.stillSupported)) {
    death.stillSupported = true;
  }
  if (insurance?.notStopped || death.notCancelled || death.stillSupported) person.exact = true;
}

/** Registered, alive, here since before the first night, and in no other case. */
function isFree(person: Person): boolean {
  return (
    person.registered &&
    person.livesHere &&
    person.death === undefined &&
    person.enters === 1 &&
    !person.exact
  );
}

/** An employee who is on the residents' health insurance as well, since later. */
function insureAgain(block: Block, person: Person): void {
  const { county, random } = block;
  const { insurance } = person;
  if (!isFree(person) || !insurance?.kinds.includes('310') || !random.chance(SHARES.insuredAgain)) return;
  const earliest = insurance.since + 30;
  if (earliest > county.firstDay - 30) return;
  insurance.again = { kind: '390', since: random.between(earliest, county.firstDay - 30) };
  person.exact = true;
}

/** Someone from elsewhere who moves within the county, and whose first registration stays in force. */
function registerElsewhere(block: Block, person: Person): void {
  const { county, random } = block;
  const { household, residence } = person;
  if (household.standing !== 'migrant' || person.exact || person.enters > 1 || ageOf(county, person) < 18)
    return;
  if (residence === undefined || residence.until < county.firstDay || residence.since > county.firstDay - 60)
    return;
  if (!random.chance(SHARES.secondResidence)) return;
  const village = otherVillage(county.places, household.homeVillage, random);
  person.secondResidence = {
    since: random.between(residence.since + 20, county.firstDay - 10),
    until: residence.until + 200,
    village,
    address: addressIn(village, random),
  };
  person.exact = true;
}

function registerTwice(block: Block, person: Person): void {
  const { county, random } = block;
  if (!isFree(person) || person.phone === '' || !random.chance(SHARES.registeredTwice)) return;
  const areaCode = random.pick(county.places.areaCodes);
  if (differences(areaCode, person.idNumber.slice(0, 6)) < 3) return;
  const village = otherVillage(county.places, person.household.village, random);
  person.second = {
    idNumber: underAreaCode(person.idNumber, areaCode),
    village,
    address: addressIn(village, random),
  };
  person.exact = true;
}

function differences(one: string, other: string): number {
  return [...one].filter((character, index) => character !== other[index]).length;
}

function borrowNumber(block: Block, person: Person): void {
  const { random } = block;
  if (!isFree(person) || person.insurance === undefined || !random.chance(SHARES.borrowedNumber)) return;
  const owner = random.pick(block.persons);
  if (!isFree(owner) || owner === person || owner.surname === person.surname) return;
  person.insurance.borrowedFrom = owner;
  person.exact = true;
  owner.exact = true;
}

function marryAgain(block: Block, marriage: Block['marriages'][number]): void {
  const { county, random } = block;
  const { husband, wife } = marriage;
  if (!isFree(husband) || !isFree(wife) || marriage.divorcedOn !== undefined || marriage.enters > 1) return;
  if (marriage.day > county.firstDay - 2200 || !random.chance(SHARES.marriedTwice)) return;
  const twice = random.chance(0.6) ? husband : wife;
  const second = block.persons.find(
    (person) =>
      isFree(person) &&
      person.sex !== twice.sex &&
      person.marital === '10' &&
      ageOf(county, person) > 25 &&
      person.household !== twice.household,
  );
  if (second === undefined) return;
  second.marital = '20';
  for (const person of [husband, wife, second]) person.exact = true;
  block.marriages.push({
    husband: second.sex === 1 ? second : twice,
    wife: second.sex === 2 ? second : twice,
    day: county.firstDay - random.between(40, 900),
    divorcedOn: undefined,
    enters: 1,
    overlaps: twice.number,
  });
}

/** The marriage never reached the household register. */
function keepSingle(
  { random }: Block,
  { husband, wife, divorcedOn, enters }: Block['marriages'][number],
): void {
  if (!isFree(husband) || !isFree(wife) || divorcedOn !== undefined || enters > 1) return;
  if (husband.marital !== '20' || wife.marital !== '20' || !random.chance(SHARES.registeredSingle)) return;
  (random.chance(0.5) ? husband : wife).registeredSingle = true;
  husband.exact = wife.exact = true;
}
