import { isCalendarDate } from '../schema/standards/calendar.ts';
import { lunarDate } from '../schema/standards/dates.ts';
import { civilDate, compactDate, dashedDate, dayNumber } from './calendar.ts';
import type { County } from './county.ts';
import { fifteenDigits, withCheckCharacter, withImpossibleBirthday } from './identity-numbers.ts';
import { homophoneName, lookAlikeName, unreadableName } from './names.ts';
import type { Person } from './population.ts';
import { mix, Random, share } from './random.ts';

/** What one record says of one person. Dates are `YYYYMMDD`; what is not known is empty. */
export interface Written {
  idNumber: string;
  name: string;
  sex: string;
  birth: string;
  phone: string;
}

export interface Finding {
  rule: string;
  note: string;
}

/** How a feed writes a person: with the slip that happened, if any, and as it should be. */
export interface Writing {
  written: Written;
  correct: Written;
  findings: Finding[];
}

/** What a feed asks of a person, and how often it leaves the ID number out. */
export interface Form {
  /** A number that sets this feed and role apart from all others. */
  number: number;
  sex: boolean;
  birth: boolean;
  /** Share of telephone numbers that it has; 0 when it does not ask for any. */
  phone: number;
  missingIdNumber: number;
  /** Share of ID numbers that are still written with fifteen digits. */
  fifteenDigits: number;
  /** Whether a slip may show against the household register: not in the register itself. */
  besideRegister: boolean;
}

export const REGISTER_FORM: Form = {
  number: 1,
  sex: true,
  birth: true,
  phone: 0.7,
  missingIdNumber: 0,
  fifteenDigits: 0,
  besideRegister: false,
};

type Slip = (
  person: Person,
  correct: Written,
  form: Form,
  seed: number,
  county: County,
) => Partial<Written> | undefined;

interface SlipKind {
  rate: number;
  rule: string;
  slip: Slip;
}

/** Slips of the pen and of systems, with their rate for each mention of a person. */
const SLIPS: readonly SlipKind[] = [
  {
    rate: 0.0022,
    rule: 'DQ01',
    slip: (_, { idNumber }, __, seed) => ({ idNumber: substituted(idNumber, seed) }),
  },
  {
    rate: 0.0011,
    rule: 'DQ01',
    slip: (_, { idNumber }, __, seed) => ({ idNumber: transposed(idNumber, seed) }),
  },
  {
    rate: 0.0003,
    rule: 'DQ01',
    slip: (_, { idNumber }, __, seed) => ({ idNumber: lengthened(idNumber, seed) }),
  },
  {
    rate: 0.0003,
    rule: 'DQ03',
    slip: (person, { idNumber }) => ({ idNumber: withImpossibleBirthday(idNumber, person.birth) }),
  },
  { rate: 0.0003, rule: 'DQ04', slip: neverAssigned },
  {
    rate: 0.0013,
    rule: 'DQ06',
    slip: ({ sex }, _, form) => (form.sex ? { sex: sex === 1 ? '2' : '1' } : undefined),
  },
  { rate: 0.0026, rule: 'DQ07', slip: otherBirthday },
  { rate: 0.0026, rule: 'DQ08', slip: lunarBirthday },
  { rate: 0.0006, rule: 'DQ09', slip: placeholder },
  {
    rate: 0.0021,
    rule: 'DQ10',
    slip: ({ surname, name }, _, __, seed) => ({
      name: surname + unreadableName(name.slice(surname.length), seed),
    }),
  },
  { rate: 0.002, rule: 'DQ11', slip: (person) => ({ name: spacedName(person) }) },
  { rate: 0.0028, rule: 'ID04', slip: nameAlike(homophoneName) },
  { rate: 0.0008, rule: 'ID04', slip: nameAlike(lookAlikeName) },
];

const SHARE_WITH_SLIP = SLIPS.reduce((sum, { rate }) => sum + rate, 0);

/**
 * How a record writes a person: correctly nine times in ten and more, otherwise with exactly one slip.
 *
 * @param recordNumber sets this record of the feed apart from its others
 * @returns the findings that the slip is, by the definitions of the anomaly catalogue
 */
export function write(county: County, person: Person, form: Form, recordNumber: number): Writing {
  const seed = mix(county.seed, form.number, recordNumber, person.number);
  const correct: Written = {
    idNumber: person.idNumber,
    name: person.name,
    sex: form.sex ? String(person.sex) : '',
    birth: form.birth ? compactDate(person.birth) : '',
    phone: share(seed, 1) < form.phone ? person.phone : '',
  };
  if (person.exact) return { written: correct, correct, findings: [] };
  // A form that never asks for the number does not miss it.
  const missing = form.missingIdNumber < 1 ? [{ rule: 'DQ14', note: '' }] : [];
  if (share(seed, 2) < form.missingIdNumber)
    return { written: { ...correct, idNumber: '' }, correct, findings: missing };
  if (share(seed, 3) < form.fifteenDigits && person.birthYear < 1985) {
    const idNumber = fifteenDigits(person.idNumber);
    return { written: { ...correct, idNumber }, correct, findings: [{ rule: 'DQ02', note: '' }] };
  }
  const draw = share(seed, 4);
  if (draw >= SHARE_WITH_SLIP) return { written: correct, correct, findings: [] };
  return slipped(county, person, form, seed, correct, draw);
}

function slipped(
  county: County,
  person: Person,
  form: Form,
  seed: number,
  correct: Written,
  draw: number,
): Writing {
  let upTo = 0;
  const kind = SLIPS.find(({ rate }) => {
    upTo += rate;
    return draw < upTo;
  });
  const change = kind?.slip(person, correct, form, seed, county);
  if (kind === undefined || change === undefined) return { written: correct, correct, findings: [] };
  const findings: Finding[] = [{ rule: kind.rule, note: noteOf(kind.rule, correct) }];
  if (kind.rule === 'DQ01' && form.birth && form.besideRegister && isCleanInRegister(county, person)) {
    findings.push({ rule: 'ID03', note: correct.idNumber });
  }
  return { written: { ...correct, ...change }, correct, findings };
}

/** What the record should say. */
function noteOf(rule: string, correct: Written): string {
  if (rule === 'DQ10' || rule === 'DQ11' || rule === 'ID04') return correct.name;
  if (rule === 'DQ07' || rule === 'DQ08') return correct.birth;
  if (rule === 'DQ06') return correct.sex;
  return correct.idNumber;
}

/** Whether the household register has the person under the right number and name. */
function isCleanInRegister(county: County, person: Person): boolean {
  if (!person.registered) return false;
  const { written, correct } = write(county, person, REGISTER_FORM, person.number);
  return written === correct;
}

/** GB 11643's check character finds every single wrong digit, so the result is never valid. */
function substituted(idNumber: string, seed: number): string {
  const position = 6 + (mix(seed, 21) % 11);
  const digit = (Number(idNumber[position]) + 1 + (mix(seed, 22) % 9)) % 10;
  return idNumber.slice(0, position) + digit + idNumber.slice(position + 1);
}

/** Two neighbours that differ, swapped; the check character finds that as well. */
function transposed(idNumber: string, seed: number): string {
  for (let step = 0; step < 16; step += 1) {
    const position = (mix(seed, 23) + step) % 16;
    const [one = '', other = ''] = idNumber.slice(position, position + 2);
    if (one !== other) return idNumber.slice(0, position) + other + one + idNumber.slice(position + 2);
  }
  return substituted(idNumber, seed);
}

/** One digit lost, or typed twice. */
function lengthened(idNumber: string, seed: number): string {
  const position = 6 + (mix(seed, 24) % 11);
  const kept = share(seed, 25) < 0.5 ? '' : `${idNumber[position]}${idNumber[position]}`;
  return idNumber.slice(0, position) + kept + idNumber.slice(position + 1);
}

function neverAssigned(
  _: Person,
  { idNumber }: Written,
  __: Form,
  seed: number,
  { places }: County,
): Partial<Written> {
  const areaCode = new Random(seed).pick(places.neverAssigned);
  return { idNumber: withCheckCharacter(areaCode + idNumber.slice(6, 17)) };
}

/** 1 January of the year, day and month swapped, or another day of the year. */
function otherBirthday(
  person: Person,
  { birth }: Written,
  form: Form,
  seed: number,
): Partial<Written> | undefined {
  if (!form.birth) return undefined;
  const { year, month, day } = civilDate(person.birth);
  const draw = share(seed, 31);
  let other = compactDate(person.birth + (draw < 0.8 ? 1 : -1) * (3 + (mix(seed, 32) % 25)));
  if (draw < 0.35) other = `${year}0101`;
  else if (draw < 0.65 && day <= 12) other = compactDate(dayNumber(year, day, month));
  // Born before the record's own events: a baby's date may only move back.
  if (other === birth || other === lunarBirth(person) || other > birth) {
    other = compactDate(person.birth - 3 - (mix(seed, 33) % 25));
  }
  return other === lunarBirth(person) ? undefined : { birth: other };
}

/** The birthday of the traditional calendar, taken for one of the Gregorian. Old people's slip. */
function lunarBirthday(person: Person, { birth }: Written, form: Form): Partial<Written> | undefined {
  if (!form.birth || person.birthYear > 1985) return undefined;
  const lunar = lunarBirth(person);
  return lunar === undefined || lunar === birth ? undefined : { birth: lunar };
}

/** Year, month and day of the lunar calendar as `YYYYMMDD`, if such a day exists in the Gregorian one. */
function lunarBirth(person: Person): string | undefined {
  const lunar = lunarDate(dashedDate(person.birth));
  const exists = isCalendarDate(Math.floor(lunar / 10000), Math.floor(lunar / 100) % 100, lunar % 100);
  return exists ? String(lunar) : undefined;
}

/** Filled up with a space, as forms with fixed columns did. */
function spacedName({ surname, name }: Person): string {
  return `${surname}${name.length === 2 ? '\u3000' : ' '}${name.slice(surname.length)}`;
}

function placeholder(_: Person, __: Written, form: Form, seed: number): Partial<Written> {
  const random = new Random(seed);
  if (form.phone > 0 && random.chance(0.5))
    return { phone: random.pick(['13800000000', '11111111111', '00000000000']) };
  if (random.chance(0.15)) return { name: random.pick(['不详', '测试']) };
  return { idNumber: random.pick(['111111111111111111', '123456789012345678', '000000000000000000']) };
}

function nameAlike(alike: (given: string, seed: number) => string | undefined): Slip {
  return (person, _, form, seed, county) => {
    const given = alike(person.name.slice(person.surname.length), seed);
    if (given === undefined || !form.besideRegister || !isCleanInRegister(county, person)) return undefined;
    return { name: person.surname + given };
  };
}
