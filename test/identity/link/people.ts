import { type Model, modelSchema } from '../../../src/identity/model/model-file.ts';
import { parseYaml } from '../../../src/schema/configuration/yaml-file.ts';

/** A small model of people, by what acceptance has of them: name, birth date, telephone, town. */
export const PEOPLE = `
model: people
version: 1
columns:
  name: text
  born: date
  phone: digits
  town: text
blocking:
  - { name: name, keys: [r.name] }
  - { name: birth date, keys: [r.born] }
  - { name: phone, each: deletions(r.phone) }
comparisons:
  - name: name
    of: [name]
    term_frequency: name
    levels:
      - { level: equal, when: l.name = r.name }
      - { level: similar, when: "jaro_winkler_reaches(l.name, r.name, 0.85)" }
      - { level: different }
  - name: birth date
    of: [born]
    levels:
      - { level: equal, when: l.born = r.born }
      - { level: within a year, when: abs(as_date(l.born) - as_date(r.born)) <= 366 }
      - { level: different }
  - name: phone
    of: [phone]
    levels:
      - { level: equal, when: l.phone = r.phone }
      - { level: one slip, when: "one_slip(l.phone, r.phone)" }
      - { level: different }
  - name: town
    missing: l.town IS NULL OR r.town IS NULL
    levels:
      - { level: equal, when: l.town = r.town }
      - { level: different }
training: { random_pairs: 20000 }
thresholds: { join: 6, split: 0, report: -10 }
`;

/** The model of {@link PEOPLE}, with a part of its text replaced. */
export function peopleModel(from = '', to = ''): Model {
  return parseYaml(PEOPLE.replace(from, to), modelSchema, 'people.yaml');
}

const SYLLABLES = [
  'an',
  'bo',
  'chen',
  'dao',
  'fei',
  'guo',
  'hai',
  'jun',
  'kang',
  'lin',
  'mei',
  'ning',
  'qi',
  'rui',
  'song',
  'tao',
  'wei',
  'xin',
  'yu',
  'zhen',
];
const TOWNS = ['east', 'west', 'north', 'south'];

export interface Row {
  readonly name: string;
  readonly born: string;
  readonly phone: string;
  readonly town: string;
}

/** The same number, the same person; no two share a telephone. */
export function person(number: number): Row {
  const part = (step: number): number => (number * step + 11) % 7919;
  const syllable = (step: number): string => SYLLABLES[part(step) % SYLLABLES.length] ?? '';
  const born = new Date(Date.UTC(1940, 0, 1 + ((number * 6151) % 29_000))).toISOString().slice(0, 10);
  const phone = `1${String((number * 7_368_787 + 3_000_000_019) % 10_000_000_000).padStart(10, '0')}`;
  return {
    name: `${syllable(31)} ${syllable(57)}${syllable(101)}`,
    born,
    phone,
    town: TOWNS[part(13) % TOWNS.length] ?? '',
  };
}

/** The person as another clerk wrote it: every kind of slip in turn, every fifth copy without one. */
export function copied(number: number): Row {
  const row = person(number);
  switch (number % 5) {
    case 0:
      return row;
    case 1:
      return { ...row, name: `${row.name.slice(0, 2)}${row.name.slice(3)}`, town: '' };
    case 2:
      return { ...row, phone: row.phone.slice(0, 6) + row.phone.slice(7), town: 'elsewhere' };
    case 3:
      return { ...row, born: '' };
    default:
      return { ...row, phone: '' };
  }
}

/** Rows as CSV text. */
export function csv(rows: readonly Row[], delimiter = ','): string {
  const lines = rows.map(({ name, born, phone, town }) => [name, born, phone, town].join(delimiter));
  return `${[['name', 'born', 'phone', 'town'].join(delimiter), ...lines].join('\n')}\n`;
}
