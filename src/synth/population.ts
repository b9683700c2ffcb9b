import type { County } from './county.ts';
import type { IdentityNumbers } from './identity-numbers.ts';
import type { Village } from './places.ts';
import type { Random } from './random.ts';

export type Relation = '02' | '10' | '20' | '30' | '51' | '52';

/**
 * Where the household of a person stands: registered and living here, registered here and living elsewhere in
 * the county or outside it, or living here and registered elsewhere.
 */
export type Standing = 'local' | 'separated' | 'away' | 'migrant';

export interface Household {
  number: number;
  standing: Standing;
  /** The village of registration; of the home for migrants. */
  village: Village;
  address: string;
  /** The village and address where the household lives; its registration for locals. */
  homeVillage: Village;
  homeAddress: string;
  homeDwelling: string;
  /** Where the home has a code that housing does not know (rule MP12). */
  unknownDwelling: boolean;
  /** County-level code (12 digits) where migrants are registered; */
  origin: string;
  /** The origin's code is of a county that is no more (rule DQ16). */
  abolishedOrigin: boolean;
  members: Person[];
  /** Day on which migrants and separated households came to their home. */
  arrived: number;
  /** Whether the members are registered as residents. */
  residenceRegistered: boolean;
  allowanceSince: number | undefined;
  /** The member who owns the registered dwelling. */
  owner: Person | undefined;
}

export interface Insurance {
  /** 110 with 310 for employees, 170 with 390 for residents, 390 alone for children. */
  kinds: readonly ('110' | '170' | '310' | '390')[];
  since: number;
  employer: { name: string; creditCode: string } | undefined;
  drawsPension: boolean;
  /** Whose ID number stands on the record by mistake (rule ID01). */
  borrowedFrom: Person | undefined;
  /** Insured once more, of a kind that the first excludes (rule ID15). */
  again: { kind: '390'; since: number } | undefined;
  /** Not stopped after death (rule ID05). */
  notStopped: boolean;
}

/** A birth of the last two years, as hospital and household register know it. */
export interface BirthRecord {
  /** Whom the certificate names as the mother. */
  mother: Person;
  father: Person | undefined;
  /** Whether the certificate tells the child's name. */
  named: boolean;
  /** False for a birth that no department knows of (rule MP10). */
  certified: boolean;
  /** Certified under the papers of the household's old woman (rule ID13). */
  underGrandmother: boolean;
}

/** A business under a person's own name. */
export interface Trade {
  since: number;
  cancelled: boolean;
}

/** What a village reports of a person. */
export interface VillageEvent {
  event: '出生' | '死亡' | '外出';
  day: number;
  /** County code of where the person went. */
  destination: string;
}

export interface Death {
  day: number;
  /** The first night whose deliveries know of it. */
  registeredOnNight: number;
  /** Still active in the household register (rule ID08). */
  notCancelled: boolean;
  /** Still on the household's allowance (rule ID06). */
  stillSupported: boolean;
  /** Cancelled in the household register, but never registered by civil affairs (rule ID09). */
  unregistered: boolean;
  /** Registered a century too early: before the birth (rule DQ15). */
  misdated: boolean;
  /** No department knows of it (rule MP10); unregistered and not cancelled as well. */
  unknown: boolean;
}

export interface Person {
  number: number;
  sex: 1 | 2;
  birth: number;
  birthYear: number;
  idNumber: string;
  surname: string;
  name: string;
  relation: Relation;
  /** GB/T 2261.2: 10 single, 20 married, 30 widowed, 40 divorced. */
  marital: '10' | '20' | '30' | '40';
  /** Single in the household register all the same (rule ID11). */
  registeredSingle: boolean;
  phone: string;
  household: Household;
  registered: boolean;
  livesHere: boolean;
  /** The first night whose deliveries know the person; 1 for nearly all. */
  enters: number;
  death: Death | undefined;
  insurance: Insurance | undefined;
  residence: { since: number; until: number } | undefined;
  /** A second registration in force, at another home (rules MP06, MP08). */
  secondResidence: { since: number; until: number; village: Village; address: string } | undefined;
  birthRecord: BirthRecord | undefined;
  trade: Trade | undefined;
  reported: VillageEvent | undefined;
  /** A second registration under another number (rule ID02). */
  second: { idNumber: string; village: Village; address: string } | undefined;
  /** Carries a case of a rule across departments: no slip of the pen and no change may blur it. */
  exact: boolean;
}

export interface Marriage {
  husband: Person;
  wife: Person;
  day: number;
  divorcedOn: number | undefined;
  enters: number;
  /** Overlaps an earlier marriage (rule ID10); the number of the person married twice. */
  overlaps: number | undefined;
}

export interface Lease {
  household: Household;
  tenant: Person;
  landlord: Person;
  landlordOwns: boolean;
  floorArea: number;
  occupants: number;
  from: number;
  to: number;
  enters: number;
}

export interface Block {
  number: number;
  county: County;
  households: Household[];
  persons: Person[];
  marriages: Marriage[];
  leases: Lease[];
  identityNumbers: IdentityNumbers;
  random: Random;
}

/** A death that the departments know and treat as they should. */
export function newDeath(day: number, registeredOnNight: number): Death {
  return {
    day,
    registeredOnNight,
    notCancelled: false,
    stillSupported: false,
    unregistered: false,
    misdated: false,
    unknown: false,
  };
}

/** Night 1 for what was there before; with the given probability one of the later nights. */
export function entryNight(county: County, random: Random, probability: number): number {
  if (county.nights < 2 || !random.chance(probability)) return 1;
  return random.between(2, county.nights);
}

/** The day of an event which a night's delivery is the first to tell: a few days before that night. */
export function dayBeforeNight(county: County, night: number, random: Random): number {
  return county.firstDay + night - 1 - random.between(1, 4);
}

/** Age in years at the first night, as a share of years. */
export function ageOf(county: County, person: Person): number {
  return (county.firstDay - person.birth) / 365.2425;
}
