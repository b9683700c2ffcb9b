import fc from 'fast-check';
import { birth, pupil } from '../rules/registers.ts';
import { insurance, lease, register, residence, residentNumber, title } from '../rules/situation.ts';
import type { Row } from '../support/drop.ts';

/** What the departments send: rows by feed. */
export type Registers = Readonly<Record<string, readonly Row[]>>;

interface Somebody {
  readonly names: readonly string[];
  readonly sex: string;
  readonly birth_date: string;
  readonly id_number: string;
  readonly phone: string;
  readonly village: string;
}

/** Few, and alike: names that sound the same, shared birth dates, phones and villages. */
const PEOPLE: readonly Somebody[] = [
  ['王志强', '汪志强', '王志□', '1', '19800101', '001', '13912904671', '001'],
  ['汪志强', '王志强', '王志墙', '1', '19800101', '003', '13912904671', '001'],
  ['王志强', '王志墙', '王□强', '1', '19810203', '005', '13912904672', '002'],
  ['李娜', '李那', '李□', '2', '19800101', '002', '13912904671', '001'],
  ['李那', '李娜', '丽娜', '2', '19810203', '004', '13912904673', '002'],
  ['赵敏', '赵民', '赵□', '2', '19810302', '006', '13912904672', '002'],
].map(
  ([name = '', second = '', third = '', sex = '', birth = '', sequence = '', phone = '', village = '']) => ({
    names: [name, second, third],
    sex,
    birth_date: birth,
    id_number: residentNumber(birth, sequence),
    phone,
    village: `620802001${village}`,
  }),
);

/** How one record names somebody. */
const mention = fc.record({
  person: fc.nat(PEOPLE.length - 1),
  name: fc.constantFrom(0, 0, 0, 1, 2),
  number: fc.constantFrom('right', 'right', 'none', 'none', 'slip'),
  birth: fc.constantFrom('right', 'right', 'none', 'slip'),
  phone: fc.boolean(),
});
type Named = typeof mention extends fc.Arbitrary<infer Value> ? Value : never;

type Fields = Record<'id_number' | 'name' | 'sex' | 'birth_date' | 'phone' | 'village' | 'born', string>;

function fieldsOf(given: Named): Fields {
  const person = PEOPLE[given.person] ?? PEOPLE[0];
  if (person === undefined) throw new Error('there are no people');
  const { id_number, birth_date } = person;
  const slipped = `${id_number.slice(0, 15)}${id_number[16]}${id_number[15]}${id_number[17]}`;
  return {
    id_number: given.number === 'none' ? '' : given.number === 'right' ? id_number : slipped,
    name: person.names[given.name] ?? '',
    sex: person.sex,
    birth_date:
      given.birth === 'none' ? '' : given.birth === 'right' ? birth_date : `${birth_date.slice(0, 4)}0101`,
    phone: given.phone ? person.phone : '',
    village: person.village,
    born: birth_date,
  };
}

/** Rows of one feed: at most one of each key. */
function rowsOf(most: number, row: (key: string, given: Named) => Row): fc.Arbitrary<Row[]> {
  return fc
    .array(mention, { minLength: 1, maxLength: most })
    .map((named) => named.map((given, at) => row(String(at), given)));
}

/** Small registers in which much can be mistaken for something else. */
export const registersArbitrary: fc.Arbitrary<Registers> = fc.record({
  household_register: rowsOf(8, (key, given) => {
    const { village, born, ...fields } = fieldsOf(given);
    const birth_date = fields.birth_date || born;
    // Of each village one household.
    return register(`H${key}`, {
      ...fields,
      birth_date,
      registered_division: village,
      household_number: village,
    });
  }),
  residence_registration: rowsOf(8, (key, given) => {
    const { village, born, ...fields } = fieldsOf(given);
    const birth_date = fields.birth_date || born;
    return residence(`J${key}`, { ...fields, birth_date, living_division: village });
  }),
  social_insurance: rowsOf(8, (key, given) => {
    const { village: _village, born: _born, ...fields } = fieldsOf(given);
    return insurance(`S${key}`, fields);
  }),
  housing_lease: pairsOf(5, (key, [owner, user]) =>
    lease(`L${key}`, {
      landlord_id_number: owner.id_number,
      landlord_name: owner.name,
      tenant_id_number: user.id_number,
      tenant_name: user.name,
      tenant_phone: user.phone,
      division: user.village,
      dwelling_code: `F${user.village}`,
    }),
  ),
  housing_ownership: rowsOf(4, (key, given) => {
    const { village, id_number, name } = fieldsOf(given);
    return title(`Q${key}`, {
      division: village,
      dwelling_code: `F${village}`,
      owner_id_number: id_number,
      owner_name: name,
    });
  }),
  school_enrolment: pairsOf(5, (key, [child, guardian]) =>
    pupil(`G${key}`, {
      id_number: child.id_number,
      name: child.name,
      sex: child.sex,
      birth_date: child.birth_date || child.born,
      living_division: child.village,
      guardian_id_number: guardian.id_number,
      guardian_name: guardian.name,
      guardian_phone: guardian.phone,
    }),
  ),
  birth_certificate: pairsOf(5, (key, [child, mother]) =>
    birth(`C${key}`, child.birth_date || child.born, {
      child_name: child.phone === '' ? '' : child.name,
      child_sex: child.sex,
      mother_id_number: mother.id_number,
      mother_name: mother.name,
      mother_birth_date: mother.birth_date,
      mother_living_division: mother.village,
    }),
  ),
});

/** Rows of a feed that names two persons: at most one of each key. */
function pairsOf(
  most: number,
  row: (key: string, given: readonly [Fields, Fields]) => Row,
): fc.Arbitrary<Row[]> {
  return fc.array(fc.tuple(mention, mention), { minLength: 1, maxLength: most }).map((pairs) =>
    pairs.map((pair, at) => {
      const [one, other] = [fieldsOf(pair[0]), fieldsOf(pair[1])];
      // One number for both would be one person, whatever the roles.
      const id_number = one.id_number === other.id_number ? '' : one.id_number;
      return row(String(at), [{ ...one, id_number }, other]);
    }),
  );
}
