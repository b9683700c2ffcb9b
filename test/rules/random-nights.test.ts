import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { death, type Row } from '../support/drop.ts';
import { useNights } from './nights.ts';
import { birth, pupil, report, trader } from './registers.ts';
import { allowance, insurance, lease, register, residence, residentNumber } from './situation.ts';

// A counterexample is told as it is found: making it smaller takes as many nights again.
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });

const MINUTES = 20 * 60_000;
const { county, nightAndCompare } = useNights();

/** Few, and alike; the last one is of a district whose code never was. */
const PEOPLE = [
  {
    names: ['王志强', '汪志强', '王志□'],
    sex: '1',
    birth: '19800101',
    sequence: '001',
    phone: '13912904671',
  },
  {
    names: ['汪志强', '王志强', '王志墙'],
    sex: '1',
    birth: '19800101',
    sequence: '003',
    phone: '13912904671',
  },
  { names: ['李娜', '李那', '李□'], sex: '2', birth: '20081104', sequence: '002', phone: '13912904671' },
  { names: ['赵敏', '赵民', '赵□'], sex: '2', birth: '19850505', sequence: '006', phone: '13912904672' },
  { names: ['赵晨', '赵辰', '赵□'], sex: '1', birth: '20150303', sequence: '001', phone: '13912904672' },
  { names: ['王志强', '王强', '王志□'], sex: '1', birth: '19101105', sequence: '005', phone: '13912904673' },
] as const;
/** Nobody is like them. */
const LONERS = ['孙一', '周二', '吴三', '郑四', '冯五', '陈六', '褚七', '卫八'].map((name, at) => ({
  names: [name, name, name],
  sex: '1',
  birth: `19${60 + at}0${at + 1}1${at}`,
  sequence: `0${at + 1}1`,
  phone: `1391290560${at}`,
}));
const VILLAGES = ['620802001001', '620802001002', '620102001001'] as const;
const AREAS = ['620802', '620102', '999999'] as const;

/** How one record names somebody. */
const somebody = fc
  .record({
    person: fc.constantFrom(...PEOPLE, ...LONERS),
    name: fc.constantFrom(0, 0, 0, 1, 2),
    area: fc.constantFrom(0, 0, 0, 1, 2),
    number: fc.constantFrom('right', 'right', 'none', 'slip'),
    phone: fc.boolean(),
    village: fc.constantFrom(...VILLAGES),
  })
  .map(({ person, name, area, number, phone, village }) => {
    const right = residentNumber(person.birth, person.sequence, AREAS[area] ?? AREAS[0]);
    const slipped = `${right.slice(0, 15)}${right[16]}${right[15]}${right[17]}`;
    return {
      id_number: number === 'none' ? '' : number === 'right' ? right : slipped,
      name: person.names[name] ?? person.names[0],
      sex: person.sex,
      birth_date: person.birth,
      phone: phone ? person.phone : '',
      village,
    };
  });

/** Days on both sides of the one on which something comes or goes by time alone, in the nights of these tests. */
const around = (year: string, month: string) =>
  fc.integer({ min: 1, max: 20 }).map((day) => `${year}${month}${String(day).padStart(2, '0')}`);

type Rows = fc.Arbitrary<Row[]>;
const several = (row: fc.Arbitrary<(key: string) => Row>): Rows =>
  fc.array(row, { minLength: 1, maxLength: 4 }).map((rows) => rows.map((make, at) => make(`${at}`)));

/** What each feed may say on a night; with each key once. */
const FEEDS: Readonly<Record<string, Rows>> = {
  household_register: several(
    fc
      .tuple(somebody, fc.constantFrom('1', '1', '2', '3'), around('2021', '11'), fc.constantFrom('A', 'B'))
      .map(([{ village, ...who }, status, cancelled_on, household_number]) => (key) => {
        const cancelled = status === '3' ? { cancelled_on } : {};
        return register(`H${key}`, {
          ...who,
          ...cancelled,
          registered_division: village,
          household_number,
          status,
        });
      }),
  ),
  residence_registration: several(
    fc.tuple(somebody, around('2026', '11'), fc.constantFrom('F1', 'F2', '')).map(
      ([{ village, ...who }, valid_until, dwelling_code]) =>
        (key) =>
          residence(`J${key}`, { ...who, living_division: village, valid_until, dwelling_code }),
    ),
  ),
  social_insurance: several(
    fc.tuple(somebody, around('2026', '05')).map(
      ([{ village: _village, ...who }, insured_since]) =>
        (key) =>
          insurance(`S${key}`, { ...who, insured_since }),
    ),
  ),
  housing_lease: several(
    fc.tuple(somebody, somebody, around('2026', '10'), around('2026', '11')).map(
      ([owner, user, starts_on, ends_on]) =>
        (key) =>
          lease(`L${key}`, {
            landlord_name: owner.name,
            landlord_id_number: owner.id_number,
            tenant_name: user.name,
            tenant_id_number: user.id_number,
            tenant_phone: user.phone,
            division: user.village,
            starts_on,
            ends_on,
          }),
    ),
  ),
  school_enrolment: several(
    fc.tuple(somebody, somebody).map(
      ([{ village, phone: _phone, ...child }, guardian]) =>
        (key) =>
          pupil(`G${key}`, {
            ...child,
            registered_division: village,
            guardian_name: guardian.name,
            guardian_id_number: guardian.id_number,
            guardian_phone: guardian.phone,
          }),
    ),
  ),
  death_registration: several(
    fc.tuple(somebody, around('2026', '10')).map(
      ([{ id_number, name, sex, birth_date }, died_on]) =>
        (key) =>
          death(`D${key}`, name, '01 08:00:00', { id_number, sex, birth_date, died_on }),
    ),
  ),
  birth_certificate: several(
    fc.tuple(somebody, somebody, around('2026', '10')).map(
      ([mother, child, bornOn]) =>
        (key) =>
          birth(`C${key}`, bornOn, {
            mother_name: mother.name,
            mother_id_number: mother.id_number,
            child_name: child.name,
          }),
    ),
  ),
  subsistence_allowance: several(
    somebody.map(
      ({ id_number, name }) =>
        (key) =>
          allowance(`W${key}`, { id_number, name }),
    ),
  ),
  sole_trader: several(
    somebody.map(
      ({ id_number, name }) =>
        (key) =>
          trader(`T${key}`, { operator_id_number: id_number, operator_name: name }),
    ),
  ),
  village_report: several(
    fc.tuple(somebody, fc.constantFrom('出生', '死亡', '迁入', '迁出', '外出'), around('2026', '10')).map(
      ([{ id_number, name, sex, birth_date }, event, on]) =>
        (key) =>
          report(`${Number(key) + 1}`, event, on, { id_number, name, sex, birth_date }),
    ),
  ),
};

/** On the first night every feed delivers, on those that follow a few do. */
const nights = fc.tuple(
  fc.record(FEEDS),
  fc.array(
    fc.record({
      days: fc.integer({ min: 1, max: 4 }),
      rows: fc
        .record(FEEDS, { requiredKeys: [] })
        .map((rows) => Object.fromEntries(Object.entries(rows).slice(0, 2))),
    }),
    { minLength: 3, maxLength: 4 },
  ),
);

/** So many that what the nights touch is a small share of all. */
const strangers = Array.from({ length: 120 }, (_, at) =>
  register(`X${at}`, {
    id_number: residentNumber('19700101', String(100 + at)),
    name: `钱${'一二三四五六七八九十'[at % 10]}${'甲乙丙丁戊己庚辛壬癸子丑'[Math.floor(at / 10)]}`,
    birth_date: '19700101',
    sex: String(2 - ((100 + at) % 2)),
    household_number: `X${at}`,
  }),
);

test(
  'whatever the departments send, looking at what changed finds what looking at everything does',
  async () => {
    county.rules = (await loadRules('config/rules')).filter(({ evaluates }) => evaluates !== 'everything');
    county.setGates({ fewer_percent: 100, more_percent: 100_000 });
    await fc.assert(
      fc.asyncProperty(nights, async ([first, later]) => {
        await county.empty();
        let date = new Date('2026-11-02');
        for (const { days, rows } of [{ days: 0, rows: first }, ...later]) {
          date = new Date(date.getTime() + days * 86_400_000);
          const on = date.toISOString().slice(0, 10);
          for (const [feed, given = []] of Object.entries(rows))
            await county.deliver(feed, on, feed === 'household_register' ? [...strangers, ...given] : given);
          await nightAndCompare(on);
        }
        const looked = await county.query('SELECT everybody FROM population.touched_night ORDER BY run_id');
        expect(looked.slice(1)).toEqual(later.map(() => ({ everybody: false })));
      }),
      { numRuns: 5 },
    );
  },
  MINUTES,
);
