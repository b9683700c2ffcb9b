import { firstAdultAge, migrantAge } from './ages.ts';
import { civilDate } from './calendar.ts';
import { KEYS_IN_BLOCK, PERSONS_IN_BLOCK } from './county.ts';
import { addressIn, dwellingCode, otherVillage, villageTable } from './homes.ts';
import { givenName, surname } from './names.ts';
import {
  type Block,
  dayBeforeNight,
  entryNight,
  type Household,
  newDeath,
  type Person,
  type Relation,
} from './population.ts';
import { mix, Random } from './random.ts';

const YEAR = 365.2425;
const SHARE_OF_MIGRANT_HOUSEHOLDS = 0.17;
const SHARE_AWAY = 0.1;
const SHARE_SEPARATED = 0.035;
const NATIVE_AREA_CODE = 0.9;
const SHARE_ABOLISHED = 0.01;
/** Of families: with a member of 115 years and more whose death nobody told the register (rule DQ13). */
const SHARE_WITH_FORGOTTEN = 0.0012;

/** Adds one household to the block, of at most `limit` persons. */
export function composeHousehold(block: Block, limit: number): void {
  const { county } = block;
  const number = block.number * KEYS_IN_BLOCK + block.households.length + 1;
  const random = new Random(mix(county.seed, 102, number));
  const household = settle(block, random, number);
  block.households.push(household);
  if (household.standing === 'migrant') composeMigrants(block, household, random, limit);
  else composeFamily(block, household, random, limit);
}

function settle(block: Block, random: Random, number: number): Household {
  const { county } = block;
  const draw = random.next();
  const village = villageTable(county.places).draw(random);
  const address = addressIn(village, random);
  const household: Household = {
    number,
    standing: 'local',
    village,
    address,
    homeVillage: village,
    homeAddress: address,
    homeDwelling: dwellingCode(county.places, number),
    unknownDwelling: false,
    origin: '',
    abolishedOrigin: false,
    members: [],
    arrived: county.firstDay - random.between(200, 2000),
    residenceRegistered: true,
    allowanceSince: undefined,
    owner: undefined,
  };
  if (draw < SHARE_OF_MIGRANT_HOUSEHOLDS) {
    household.standing = 'migrant';
    const { origins, abolished } = county.places;
    household.abolishedOrigin = random.chance(SHARE_ABOLISHED);
    household.origin = `${random.pick(household.abolishedOrigin ? abolished : origins)}000000`;
    household.residenceRegistered = random.chance(0.82);
  } else if (draw < SHARE_OF_MIGRANT_HOUSEHOLDS + SHARE_AWAY) {
    household.standing = 'away';
  } else if (draw < SHARE_OF_MIGRANT_HOUSEHOLDS + SHARE_AWAY + SHARE_SEPARATED) {
    household.standing = 'separated';
    household.homeVillage = otherVillage(county.places, village, random);
    household.homeAddress = addressIn(household.homeVillage, random);
    household.homeDwelling = dwellingCode(county.places, number + KEYS_IN_BLOCK / 2);
  }
  return household;
}

/** A family as the household register knows it: a first adult, spouse, children, parents. */
function composeFamily(block: Block, household: Household, random: Random, limit: number): void {
  const age = firstAdultAge(random);
  const sex = random.chance(age < 60 ? 0.72 : 0.6) ? 1 : 2;
  const marital = maritalStatus(random, age, sex);
  const head = addPerson(block, household, random, { age, sex, relation: '02', marital });
  let mother = sex === 2 ? age : undefined;
  if (marital === '20' && household.members.length < limit) {
    const spouseAge = Math.max(21.5, age + (sex === 1 ? -2 : 2) + 3 * (random.next() - 0.5));
    addPerson(block, household, random, { age: spouseAge, sex: sex === 1 ? 2 : 1, relation: '10', marital });
    if (sex === 1) mother = spouseAge;
  }
  if (marital !== '10') addChildren(block, household, random, limit, mother ?? age - 2, head);
  if (age > 24 && age < 58 && random.chance(0.3)) addParents(block, household, random, limit, age, head);
  if (household.members.length < limit && random.chance(SHARE_WITH_FORGOTTEN))
    addForgotten(block, household, random);
  for (const person of household.members) placeMember(household, person, random);
}

/** Unmarried children who are still on their parents' page of the register. */
function addChildren(
  block: Block,
  household: Household,
  random: Random,
  limit: number,
  motherAge: number,
  head: Person,
): void {
  const wanted = random.next() < 0.05 ? 0 : random.next() < 0.36 ? 1 : random.next() < 0.78 ? 2 : 3;
  let bornAt = 22.5 + random.next() * 9;
  for (let count = 0; count < wanted && household.members.length < limit; count += 1) {
    const age = motherAge - bornAt;
    bornAt += 1.5 + random.next() * 5;
    if (age < 0.01 || bornAt > 44) break;
    if (random.next() < leftHome(age)) continue;
    const sex = random.chance(0.525) ? 1 : 2;
    const name = random.chance(0.96) ? familyName(head, household) : undefined;
    const relation = sex === 1 ? '20' : '30';
    const child = addPerson(block, household, random, { age, sex, relation, marital: '10', surname: name });
    if (age < 0.2) child.enters = entryNight(block.county, random, 0.5);
  }
}

/** Share of children of an age who have married or set up a household of their own. */
function leftHome(age: number): number {
  if (age < 20) return 0.02;
  if (age < 25) return 0.4;
  if (age < 30) return 0.7;
  if (age < 35) return 0.88;
  return 0.97;
}

/** The children's surname: the father's, whether he or the mother heads the household. */
function familyName(head: Person, household: Household): string {
  const father = head.sex === 1 ? head : household.members.find(({ relation }) => relation === '10');
  return (father ?? head).surname;
}

function addParents(
  block: Block,
  household: Household,
  random: Random,
  limit: number,
  age: number,
  head: Person,
): void {
  const fatherAge = age + 22 + random.next() * 12;
  const motherAge = fatherAge - 2 + 3 * (random.next() - 0.5);
  const both = random.chance(0.62) && household.members.length + 2 <= limit;
  const marital = both ? '20' : '30';
  const fatherAlive = both || random.chance(0.3);
  if (fatherAlive && fatherAge < 98 && household.members.length < limit) {
    addPerson(block, household, random, {
      age: fatherAge,
      sex: 1,
      relation: '51',
      marital,
      surname: head.surname,
    });
  }
  if ((both || !fatherAlive) && motherAge < 100 && household.members.length < limit) {
    addPerson(block, household, random, { age: motherAge, sex: 2, relation: '52', marital });
  }
}

/** Died twenty years ago, and still in the register. */
function addForgotten(block: Block, household: Household, random: Random): void {
  const age = 116.5 + 3 * random.next();
  const forgotten = addPerson(block, household, random, { age, sex: 2, relation: '52', marital: '30' });
  forgotten.phone = '';
  forgotten.exact = true;
  forgotten.livesHere = false;
  forgotten.death = {
    ...newDeath(block.county.firstDay - random.between(6500, 8000), 1),
    notCancelled: true,
    unregistered: true,
    unknown: true,
  };
}

/** People who came from elsewhere: alone, as couples, and couples with children. */
function composeMigrants(block: Block, household: Household, random: Random, limit: number): void {
  const { county } = block;
  const enters = entryNight(county, random, 0.006 * (county.nights - 1));
  const age = migrantAge(random);
  const sex = random.chance(0.58) ? 1 : 2;
  const couple = age > 23 && random.chance(0.5);
  const marital = couple ? '20' : maritalStatus(random, age, sex) === '40' ? '40' : '10';
  const head = addPerson(block, household, random, { age, sex, relation: '02', marital });
  if (couple && household.members.length < limit) {
    const spouseAge = Math.max(21.5, age + (sex === 1 ? -2 : 2) + 3 * (random.next() - 0.5));
    addPerson(block, household, random, { age: spouseAge, sex: sex === 1 ? 2 : 1, relation: '10', marital });
    if (random.chance(0.75)) addChildren(block, household, random, limit, age - 2, head);
  }
  household.arrived =
    enters > 1 ? dayBeforeNight(county, enters, random) : county.firstDay - random.between(60, 2600);
  if (enters > 1) household.residenceRegistered = true;
  for (const person of household.members) {
    person.registered = false;
    person.enters = enters;
  }
}

/** Registered persons who live elsewhere: whole households, and young adults of others. */
function placeMember(household: Household, person: Person, random: Random): void {
  if (household.standing === 'away') person.livesHere = false;
  const young = person.relation === '20' || person.relation === '30';
  if (young && person.birthYear < 2007 && random.chance(0.2)) person.livesHere = false;
}

function maritalStatus(random: Random, age: number, sex: 1 | 2): Person['marital'] {
  const draw = random.next();
  if (age < 22 + (sex === 1 ? 1 : 0)) return '10';
  if (age < 26) return draw < 0.3 ? '20' : '10';
  if (age < 30) return draw < 0.6 ? '20' : draw < 0.62 ? '40' : '10';
  if (age < 40) return draw < 0.84 ? '20' : draw < 0.89 ? '40' : '10';
  if (age < 60) return draw < 0.9 ? '20' : draw < 0.95 ? '40' : draw < 0.97 ? '30' : '10';
  if (age < 75) return draw < 0.8 ? '20' : draw < 0.97 ? '30' : '40';
  return draw < 0.5 ? '20' : '30';
}

interface Traits {
  age: number;
  sex: 1 | 2;
  relation: Relation;
  marital: Person['marital'];
  surname?: string | undefined;
}

function addPerson(block: Block, household: Household, random: Random, traits: Traits): Person {
  const { county } = block;
  const { sex, relation, marital } = traits;
  const native = household.standing !== 'migrant' && random.chance(NATIVE_AREA_CODE);
  const areaCode = native ? county.places.county : random.pick(county.places.areaCodes);
  const born = civilDate(Math.floor(county.firstDay - traits.age * YEAR)).year;
  const { birth, idNumber } = block.identityNumbers.assign(random, areaCode, sex, born);
  const family = traits.surname ?? surname(random);
  const person: Person = {
    number: block.number * PERSONS_IN_BLOCK + block.persons.length + 1,
    sex,
    birth,
    birthYear: born,
    idNumber,
    surname: family,
    name: family + givenName(random, sex, born),
    relation,
    marital,
    registeredSingle: false,
    phone: traits.age > 14 && random.chance(0.92) ? mobileNumber(random) : '',
    household,
    registered: true,
    livesHere: true,
    enters: 1,
    death: undefined,
    insurance: undefined,
    residence: undefined,
    secondResidence: undefined,
    birthRecord: undefined,
    trade: undefined,
    reported: undefined,
    second: undefined,
    exact: false,
  };
  household.members.push(person);
  block.persons.push(person);
  return person;
}

/** An eleven-digit mobile number. */
export function mobileNumber(random: Random): string {
  const prefix = random.pick([
    '130',
    '135',
    '137',
    '138',
    '139',
    '150',
    '151',
    '158',
    '159',
    '177',
    '180',
    '186',
    '187',
    '189',
    '199',
  ]);
  return prefix + String(random.below(100_000_000)).padStart(8, '0');
}
