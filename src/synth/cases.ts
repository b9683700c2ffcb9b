import { addressIn, otherVillage } from './households.ts';
import { underAreaCode } from './identity-numbers.ts';
import { ageOf, type Block, type Person } from './population.ts';

/** Shares of the persons concerned; docs/synth.md lists them. */
const SHARES = {
  insuranceNotStopped: 0.11,
  notCancelled: 0.06,
  stillSupported: 0.4,
  borrowedNumber: 0.0008,
  registeredTwice: 0.0006,
  marriedTwice: 0.003,
} as const;

/**
 * Plants the cases in which departments contradict each other (rules ID01, ID02, ID05, ID06, ID08, ID10), and
 * marks everyone who carries such a case or one of MP01, MP02 or MP03 as exact: the case then stands or falls
 * with the rule, not with a slip of the pen elsewhere.
 */
export function addCases(block: Block): void {
  for (const person of block.persons) if (hasResidenceCase(block, person)) person.exact = true;
  for (const { tenant, landlord } of block.leases) {
    if (isUnregisteredTenant(tenant)) tenant.exact = landlord.exact = true;
  }
  for (const person of block.persons) leaveUnstopped(block, person);
  for (const person of block.persons) registerTwice(block, person);
  for (const person of block.persons) borrowNumber(block, person);
  for (const marriage of [...block.marriages]) marryAgain(block, marriage);
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

function leaveUnstopped(block: Block, person: Person): void {
  const { county, random } = block;
  const { death, insurance } = person;
  // Sixty days: more than the 31 of the rules, on the first night as on the last.
  if (death === undefined || death.registeredOnNight > 1 || death.day > county.firstDay - 60) return;
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
