import { describe, expect, test } from 'vitest';
import { type Row, title } from '../support/drop.ts';
import { birth, CHILD, died, GUARDIAN, pupil, report } from './registers.ts';
import {
  lease,
  marriage,
  register,
  residence,
  residentNumber,
  TOMORROW,
  useRules,
  WANG,
} from './situation.ts';

const { county, night, openCases } = useRules();

describe('MP04 a pupil from elsewhere without residence registration', () => {
  const found = ['school_enrolment G subject'];
  const school_enrolment = [pupil('G')];

  test('neither pupil nor guardian is registered: found', async () => {
    expect(await night('MP04', { school_enrolment, household_register: [register('H')] })).toEqual(found);
  });

  test.each([
    ['the pupil has a valid registration', { residence_registration: [residence('J', CHILD)] }],
    ['the guardian has one', { residence_registration: [residence('J', GUARDIAN)] }],
    ['the guardian is local', { household_register: [register('H', GUARDIAN)] }],
    [
      'the guardian is local, and the school has no number',
      { household_register: [register('H', GUARDIAN)] },
      '',
    ],
    [
      'a registration of the same name and birth date without number',
      { residence_registration: [residence('J', { ...CHILD, id_number: '' })] },
    ],
    ['the pupil has died', { death_registration: died('2026-10-01', CHILD) }],
  ])('%s: not found', async (_why, rows, guardian_id_number = GUARDIAN.id_number) => {
    const enrolled = pupil('G', { guardian_id_number, guardian_phone: '13912341234' });
    const given = Object.entries(rows).map(([feed, [row]]) => [feed, [{ ...row, phone: '13912341234' }]]);
    const others: Record<string, Row[]> = Object.fromEntries(given);
    expect(await night('MP04', { school_enrolment: [enrolled], ...others })).toEqual([]);
  });

  test('a registration that expired yesterday: found', async () => {
    const residence_registration = [residence('J', { ...CHILD, valid_until: '20261117' })];
    expect(await night('MP04', { school_enrolment, residence_registration })).toEqual(found);
  });

  test('registered in a division of the household register: no pupil from elsewhere', async () => {
    const rows = {
      school_enrolment: [pupil('G', { registered_division: '620802001001' })],
      household_register: [register('H')],
    };
    expect(await night('MP04', rows)).toEqual([]);
  });
});

describe('MP04 on the night after, when it looks at what changed alone', () => {
  const found = ['school_enrolment G subject'];
  /** So many that what a night touches is a small share of all. */
  const strangers = Array.from({ length: 30 }, (_, at) =>
    register(`X${at}`, {
      id_number: residentNumber('19700101', String(100 + at)),
      name: `钱${'一二三四五六七八九十'[at % 10]}${'甲乙丙'[Math.floor(at / 10)]}`,
      birth_date: '19700101',
      sex: String(2 - (at % 2)),
    }),
  );
  const guardian = register('H', {
    ...GUARDIAN,
    id_number: residentNumber('19850505', '002'),
    birth_date: '19850505',
  });

  /** Nobody was looked at but whom the night touched. */
  async function lookedAtSome(): Promise<void> {
    expect(
      await county.query('SELECT everybody FROM population.touched_night ORDER BY run_id DESC LIMIT 1'),
    ).toEqual([{ everybody: false }]);
  }

  test('somebody of the name of a guardian without number moves into, and out of, the village of the pupil', async () => {
    county.setGates({ fewer_percent: 100 });
    const school_enrolment = [pupil('G', { guardian_id_number: '' })];
    expect(await night('MP04', { school_enrolment, household_register: strangers })).toEqual(found);
    expect(await night('MP04', { household_register: [...strangers, guardian] }, TOMORROW)).toEqual([]);
    await lookedAtSome();
    expect(await night('MP04', { household_register: strangers }, '2026-11-20')).toEqual(found);
    await lookedAtSome();
  });

  test('the first record of a division comes to the register: its pupils are from there, until it goes', async () => {
    county.setGates({ fewer_percent: 100 });
    const first = register('H', { registered_division: '620102001001' });
    const school_enrolment = [pupil('G')];
    expect(await night('MP04', { school_enrolment, household_register: strangers })).toEqual(found);
    expect(await night('MP04', { household_register: [...strangers, first] }, TOMORROW)).toEqual([]);
    await lookedAtSome();
    expect(await night('MP04', { household_register: strangers }, '2026-11-20')).toEqual(found);
    await lookedAtSome();
  });

  test('the registration of another person under the number of the pupil runs out', async () => {
    const residence_registration = [
      residence('J', { ...CHILD, name: '孙丽华', birth_date: '19910101', valid_until: '20261118' }),
    ];
    const rows = { school_enrolment: [pupil('G')], residence_registration, household_register: strangers };
    expect(await night('MP04', rows)).toEqual([]);
    expect(await night('MP04', {}, TOMORROW)).toEqual(found);
    await lookedAtSome();
  });
});

describe('MP06 two homes at once', () => {
  const first = residence('J', { dwelling_code: 'F1' });

  test('two valid registrations at different dwellings: the later one is found', async () => {
    const residence_registration = [
      residence('I', { dwelling_code: 'F2', registered_on: '20250601' }),
      first,
    ];
    expect(await night('MP06', { residence_registration })).toEqual(['residence_registration I subject']);
    const [found] = await openCases('MP06');
    expect(found?.evidence).toMatchObject({ other_record: 'J', other_dwelling_code: 'F1' });
  });

  test('a registration and a later lease elsewhere: the lease is found', async () => {
    const rows = { residence_registration: [first], housing_lease: [lease('L')] };
    expect(await night('MP06', rows)).toEqual(['housing_lease L tenant']);
  });

  test('without codes, the addresses tell', async () => {
    const second = residence('I', { registered_on: '20250601', living_address: '崆峒区西大街9号' });
    expect(await night('MP06', { residence_registration: [residence('J'), second] })).toEqual([
      'residence_registration I subject',
    ]);
  });

  test.each([
    ['the same dwelling', residence('I', { dwelling_code: 'F1' }), []],
    ['one of them expired', residence('I', { dwelling_code: 'F2', valid_until: '20261117' }), []],
    ['a lease of the same dwelling', null, [lease('L', { dwelling_code: 'F1' })]],
    ['a lease that is over', null, [lease('L', { ends_on: '20261117' })]],
    ['a lease to somebody else', null, [lease('L', { tenant_id_number: residentNumber('19850505', '001') })]],
    [
      'the landlord of a dwelling elsewhere',
      null,
      [
        lease('L', {
          landlord_id_number: WANG.id_number,
          landlord_name: WANG.name,
          tenant_id_number: residentNumber('19850505', '001'),
          tenant_name: '赵敏',
        }),
      ],
    ],
  ])('%s: not found', async (_why, second, housing_lease) => {
    const residence_registration = second === null ? [first] : [first, second];
    expect(await night('MP06', { residence_registration, housing_lease })).toEqual([]);
  });

  test('two leases without a registration are no two homes', async () => {
    expect(await night('MP06', { housing_lease: [lease('L'), lease('M')] })).toEqual([]);
  });
});

describe('MP08 gone and still registered as resident', () => {
  const found = ['residence_registration J subject'];
  const home = residence('J', { dwelling_code: 'F1' });

  test.each([
    ['dead', { death_registration: died('2026-11-17') }],
    [
      'cancelled on death',
      { household_register: [register('H', { status: '3', cancelled_on: '20261101' })] },
    ],
    ['the village says moved out', { village_report: [report('1', '迁出', '20260601')] }],
    ['the village says left', { village_report: [report('1', '外出', '20260601')] }],
  ])('%s: found', async (_why, rows) => {
    expect(await night('MP08', { residence_registration: [home], ...rows })).toEqual(found);
  });

  test('a newer registration elsewhere: the older one is found', async () => {
    const newer = residence('K', { dwelling_code: 'F2', registered_on: '20260601' });
    expect(await night('MP08', { residence_registration: [home, newer] })).toEqual(found);
    const [first] = await openCases('MP08');
    expect(first?.evidence).toMatchObject({ newer_record: 'K', death_record: null });
  });

  test.each([
    ['the registration itself', [home], []],
    [
      'a newer one at the same dwelling',
      [home, residence('K', { dwelling_code: 'F1', registered_on: '20260601' })],
      [],
    ],
    ['left before registering', [home], [report('1', '外出', '20231231')]],
    ['left and came back', [home], [report('1', '外出', '20260601'), report('2', '返乡', '20260901')]],
    ['expired', [residence('J', { valid_until: '20261117' })], [report('1', '外出', '20260601')]],
  ])('%s: not found', async (_why, residence_registration, village_report) => {
    expect(await night('MP08', { residence_registration, village_report })).toEqual([]);
  });
});

describe('MP10 a village reports what no department has', () => {
  const newborn = { id_number: '', name: '王小雨', sex: '2', birth_date: '20261017' };
  const key = 'village_report 620802001001|202610|1 subject';

  test.each([
    ['a death', '死亡', {}],
    ['a move in', '迁入', {}],
    ['a birth', '出生', newborn],
    ['a move out of one who is still registered', '迁出', {}],
  ])('%s of 32 days: found, and of 31 is not', async (_what, event, who) => {
    const household_register = event === '迁出' ? [register('H')] : [];
    const reported = report('1', event, '20261018', { ...who });
    const rows = { village_report: [reported] };
    const given = household_register.length === 0 ? rows : { ...rows, household_register };
    expect(await night('MP10', given)).toEqual([]);
    expect(await night('MP10', {}, TOMORROW)).toEqual([key]);
  });

  test.each([
    ['a death that civil affairs have', '死亡', {}, { death_registration: died('2026-06-02') }],
    [
      'a death for which the register was cancelled',
      '死亡',
      {},
      { household_register: [register('H', { status: '3', cancelled_on: '20260701' })] },
    ],
    ['a birth with a certificate', '出生', newborn, { birth_certificate: [birth('Z', '20261017')] }],
    [
      'a birth in the household register',
      '出生',
      newborn,
      { household_register: [register('C', { ...newborn, id_number: residentNumber('20261017', '002') })] },
    ],
    ['a move in that is registered', '迁入', {}, { residence_registration: [residence('J')] }],
    ['a move out', '迁出', {}, { household_register: [register('H', { status: '2' })] }],
    ['leaving for a while', '外出', {}, {}],
    ['coming back', '返乡', {}, {}],
  ])('%s: not found', async (_why, event, who, rows) => {
    const village_report = [report('1', event, '20261017', { ...who })];
    expect(await night('MP10', { village_report, ...rows })).toEqual([]);
  });
});

describe('MP11 many unrelated persons at one dwelling', () => {
  const number = (index: number): string => residentNumber('19800101', String(101 + 2 * index));
  const homes = (count: number): Row[] =>
    Array.from({ length: count }, (_, index) =>
      residence(`J${index}`, { id_number: number(index), dwelling_code: 'F1' }),
    );

  test('eight: found, once, and the subject is the dwelling', async () => {
    await night('MP11', { residence_registration: homes(8) });
    const [found, ...others] = await openCases('MP11');
    expect(found?.subject).toBe('dwelling F1');
    expect(found?.evidence).toMatchObject({ persons: 8, families: 8 });
    expect(others).toEqual([]);
  });

  test('seven: not found', async () => {
    expect(await night('MP11', { residence_registration: homes(7) })).toEqual([]);
  });

  test('eight of whom two are married, then one has died: not found', async () => {
    const couple = marriage('M', '20200101', { name: WANG.name, id: number(1) });
    const rows = {
      residence_registration: homes(8),
      marriage_registration: [{ ...couple, husband_id_number: number(0) }],
    };
    expect(await night('MP11', rows)).toEqual([]);
    const dead = { death_registration: died('2026-10-01', { id_number: number(5) }) };
    expect(await night('MP11', dead, TOMORROW)).toEqual([]);
  });

  test('eight of whom one registration expired: not found', async () => {
    const [first, ...others] = homes(8);
    const residence_registration = [{ ...first, valid_until: '20261117' }, ...others];
    expect(await night('MP11', { residence_registration })).toEqual([]);
  });
});

describe('MP12 a dwelling that housing does not know', () => {
  test('found', async () => {
    const residence_registration = [residence('J', { dwelling_code: 'F9' })];
    expect(await night('MP12', { residence_registration, housing_lease: [lease('1')] })).toEqual([
      'residence_registration J',
    ]);
  });

  test('known from a title or a lease, or no code given: not found', async () => {
    const found = await night('MP12', {
      residence_registration: [
        residence('J', { dwelling_code: 'F1' }),
        residence('K', { dwelling_code: 'F2' }),
        residence('L'),
      ],
      housing_lease: [lease('1')],
      housing_ownership: [title('2', '李娜')],
    });
    expect(found).toEqual([]);
  });
});
