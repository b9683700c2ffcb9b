import { yearlyMortality } from './ages.ts';
import { certifyBirths } from './births.ts';
import { dayNumber } from './calendar.ts';
import type { County } from './county.ts';
import {
  ageOf,
  type Block,
  dayBeforeNight,
  entryNight,
  type Household,
  type Insurance,
  newDeath,
  type Person,
} from './population.ts';
import type { Random } from './random.ts';

/** Deaths of the last four and a half years are in the registers. */
const DEATHS_OF_DAYS = 1640;
const SHARE_WITH_ALLOWANCE = 0.045;
const SHARE_OF_OWNERS = 0.46;
const SHARE_OF_TRADERS = 0.045;
const SHARE_CANCELLED_AFTER_DEATH = 0.6;

/** Gives the persons of a block their deaths, marriages, residence, insurance, allowance and homes. */
export function liveLives(block: Block): void {
  for (const household of block.households) {
    for (const person of household.members) die(block, person);
    const [head, second] = household.members;
    if (head !== undefined && second?.relation === '10') marry(block, head, second);
    const parents = household.members.filter(({ relation }) => relation === '51' || relation === '52');
    const [father, mother] = parents;
    if (father !== undefined && mother !== undefined) marry(block, father, mother);
    widow(household);
    certifyBirths(block, household);
    for (const person of household.members) registerResidence(block, person);
    for (const person of household.members) insure(block, person);
    for (const person of household.members) openShop(block, person);
    supportAndHouse(block, household);
  }
  divorce(block);
}

/** Divorced men and women of about one age were once married to each other. */
function divorce(block: Block): void {
  const { county, random } = block;
  const divorced = block.persons.filter(({ marital, registered }) => marital === '40' && registered);
  const women = divorced.filter(({ sex }) => sex === 2);
  for (const husband of divorced.filter(({ sex }) => sex === 1)) {
    const match = women.findIndex(({ birth }) => Math.abs(birth - husband.birth) < 8 * 365);
    const [wife] = match < 0 ? [] : women.splice(match, 1);
    if (wife === undefined) continue;
    const oldEnough = Math.max(
      husband.birth + 22.1 * 365.25,
      wife.birth + 20.1 * 365.25,
      dayNumber(1990, 1, 1),
    );
    const lastDay = Math.min(county.firstDay, ...deathDays(husband), ...deathDays(wife)) - 900;
    const day = Math.floor(oldEnough + random.next() * 2500);
    if (day > lastDay) continue;
    const divorcedOn = random.between(day + 400, lastDay + 400);
    block.marriages.push({ husband, wife, day, divorcedOn, enters: 1, overlaps: undefined });
  }
}

function die(block: Block, person: Person): void {
  const { county, random } = block;
  if (!person.registered || person.enters > 1 || person.death !== undefined) return;
  const age = ageOf(county, person);
  if (!random.chance(Math.min(0.6, (yearlyMortality(age) * DEATHS_OF_DAYS) / 365))) return;
  const registeredOnNight = entryNight(county, random, 0.01 * (county.nights - 1));
  const earliest = Math.max(person.birth + 1, county.firstDay - DEATHS_OF_DAYS);
  const day =
    registeredOnNight > 1
      ? dayBeforeNight(county, registeredOnNight, random)
      : random.between(earliest, Math.max(earliest, county.firstDay - 5));
  person.death = newDeath(day, registeredOnNight);
}

/** Marriages are in the register since 1990. */
function marry(block: Block, one: Person, other: Person): void {
  const { county, random } = block;
  const [husband, wife] = one.sex === 1 ? [one, other] : [other, one];
  const oldEnough = Math.ceil(Math.max(husband.birth + 22 * 365.25, wife.birth + 20 * 365.25)) + 1;
  const lastDay = Math.min(county.firstDay, ...deathDays(one), ...deathDays(other)) - 20;
  if (oldEnough > lastDay) {
    one.marital = '10';
    other.marital = '10';
    return;
  }
  const enters = Math.max(one.enters, other.enters, entryNight(county, random, 0.004 * (county.nights - 1)));
  const both = one.death === undefined && other.death === undefined;
  const recent = enters > 1 && both && one.livesHere && other.livesHere;
  const day = recent
    ? dayBeforeNight(county, enters, random)
    : Math.min(lastDay, oldEnough + Math.floor(random.next() ** 2 * 3600));
  // A couple from elsewhere has usually married there.
  if (!one.registered && random.chance(0.55)) return;
  if (day < dayNumber(1990, 1, 1)) return;
  block.marriages.push({
    husband,
    wife,
    day,
    divorcedOn: undefined,
    enters: recent ? enters : Math.max(one.enters, other.enters),
    overlaps: undefined,
  });
}

function deathDays(person: Person): number[] {
  return person.death === undefined ? [] : [person.death.day];
}

/** Whoever outlives a spouse of the household is widowed in the register. */
function widow(household: Household): void {
  const couples = [
    household.members.filter(({ relation }) => relation === '02' || relation === '10'),
    household.members.filter(({ relation }) => relation === '51' || relation === '52'),
  ];
  for (const [one, other] of couples) {
    if (one?.marital !== '20' || other?.marital !== '20') continue;
    if (one.death !== undefined && other.death === undefined) other.marital = '30';
    if (other.death !== undefined && one.death === undefined) one.marital = '30';
  }
}

function registerResidence(block: Block, person: Person): void {
  const { county, random } = block;
  const { standing, residenceRegistered, arrived } = person.household;
  if (standing !== 'migrant' && (standing !== 'separated' || !person.registered)) return;
  if (!residenceRegistered || person.death !== undefined || !person.livesHere) return;
  const earliest = Math.max(person.birth + 10, arrived + 1);
  if (person.enters > 1) {
    const since = dayBeforeNight(county, person.enters, random);
    person.residence = { since, until: since + random.between(200, 900) };
    return;
  }
  const latest = county.firstDay - 2;
  if (earliest > latest) return;
  const since = Math.min(latest, earliest + random.below(90));
  const expired = standing === 'migrant' && since < latest - 420 && random.chance(0.11);
  const until = expired
    ? random.between(since + 365, Math.max(since + 365, county.firstDay - 15))
    : county.firstDay + random.between(county.nights + 20, 800);
  person.residence = { since, until };
}

const EMPLOYER_STEMS =
  '宏远 新世纪 康泰 众合 天源 金盛 恒信 华丰 兴隆 同德 嘉禾 瑞祥 万通 长青 博雅 安达 正大 泰和'.split(' ');
const EMPLOYER_TRADES = '电子 食品 纺织 商贸 建材 物流 农业 机械 医药 教育科技 餐饮服务 物业管理'.split(' ');

function insure(block: Block, person: Person): void {
  const { county, random } = block;
  const age = ageOf(county, person);
  if (person.enters > 1 && person.household.standing === 'migrant') return;
  if (isUnregisteredNative(person)) return;
  if (!random.chance(insuredShare(person, age))) return;
  const migrant = person.household.standing === 'migrant';
  const retired = age >= (person.sex === 1 ? 60 : 55);
  const employed = age >= 22 && random.chance(migrant ? 0.45 : retired ? 0.28 : 0.36);
  const kinds: Insurance['kinds'] = employed ? ['110', '310'] : age >= 23 ? ['170', '390'] : ['390'];
  const since = insuredSince(county, random, person);
  if (since === undefined) return;
  person.insurance = {
    kinds,
    since,
    employer: employed && !retired ? employer(block) : undefined,
    drawsPension: employed ? retired : age >= 60.5,
    borrowedFrom: undefined,
    again: undefined,
    notStopped: false,
  };
}

/** A child who was born here and never registered: no number to be insured under. */
function isUnregisteredNative({ registered, household }: Person): boolean {
  return !registered && household.standing !== 'migrant';
}

function insuredShare(person: Person, age: number): number {
  if (person.household.standing === 'migrant') return age < 16 ? 0.4 : 0.6;
  if (!person.livesHere) return 0.05;
  return age < 1 ? 0.6 : 0.96;
}

/**
 * Any day since 2010, the birth or the arrival. Nobody from elsewhere is insured for about six months to the
 * day, so that rule MP03 does not depend on the hour.
 */
function insuredSince(county: County, random: Random, person: Person): number | undefined {
  const migrant = person.household.standing === 'migrant';
  const arrived = migrant ? person.household.arrived : 0;
  const earliest = Math.max(dayNumber(2010, 1, 1), person.birth + 3, arrived + 3);
  const latest = Math.min(county.firstDay - 1, ...deathDays(person)) - 3;
  if (latest < earliest) return person.enters > 1 ? person.birth + 1 : undefined;
  const since = random.between(earliest, latest);
  const days = county.firstDay - since;
  if (!migrant || days < 150 || days > 215) return since;
  return since - 70 < earliest ? undefined : since - 70;
}

function employer(block: Block): { name: string; creditCode: string } {
  const { county, random } = block;
  const { county: code, countyName } = county.places;
  const name = `${countyName}${random.pick(EMPLOYER_STEMS)}${random.pick(EMPLOYER_TRADES)}有限公司`;
  return { name, creditCode: `91${code}${String(random.below(1e9)).padStart(9, '0')}X` };
}

/** Grown-ups of all ages keep shops; whoever died has left one behind as often. */
function openShop(block: Block, person: Person): void {
  const { county, random } = block;
  const { death, household } = person;
  const age = ageOf(county, person);
  if (age < 22 || age > 76 || !person.livesHere || person.enters > 1) return;
  if ((death?.registeredOnNight ?? 1) > 1 || !random.chance(SHARE_OF_TRADERS)) return;
  const arrived = household.standing === 'migrant' ? household.arrived : 0;
  const earliest = Math.max(dayNumber(2015, 6, 1), person.birth + 20 * 366, arrived);
  const latest = Math.min(county.firstDay, ...deathDays(person)) - 60;
  if (earliest > latest) return;
  person.trade = {
    since: random.between(earliest, latest),
    cancelled: death !== undefined && random.chance(SHARE_CANCELLED_AFTER_DEATH),
  };
}

function supportAndHouse(block: Block, household: Household): void {
  const { county, random } = block;
  if (household.standing === 'migrant') return;
  const adults = household.members.filter(
    (person) => ageOf(county, person) > 21 && person.death === undefined && person.registered,
  );
  if (adults.length > 0 && random.chance(SHARE_OF_OWNERS)) household.owner = random.pick(adults);
  const living = household.members.some(({ livesHere, death }) => livesHere && death === undefined);
  if (living && household.standing === 'local' && random.chance(SHARE_WITH_ALLOWANCE)) {
    household.allowanceSince = county.firstDay - random.between(100, 2400);
  }
}
