import { describe, expect, test } from 'vitest';
import { marriage, register, residentNumber, TOMORROW, TONIGHT, WANG } from '../rules/situation.ts';
import { death, type Row } from '../support/drop.ts';
import { usePopulation } from './bring.ts';

const { county, night, bring, personOf } = usePopulation();

const LI = { id_number: residentNumber('19820101', '002'), name: '李娜', sex: '2', birth_date: '19820101' };
const SON = { id_number: residentNumber('20100101', '011'), name: '王小明', birth_date: '20100101' };
const WIFE = { name: LI.name, id: LI.id_number };

function member(key: string, kinship: string, more: Row = {}): Row {
  return register(key, { household_number: '000000001', kinship, ...more });
}

const FAMILY = [member('W', '02'), member('L', '10', LI), member('S', '20', SON)];

async function households(): Promise<unknown[]> {
  return county.query(
    `SELECT h.household_code AS code, division, heads, members, p.name AS head
     FROM population.household h LEFT JOIN population.person p ON p.person_id = h.head_person_id ORDER BY code`,
  );
}

/** Who is what to whom, by names. */
async function relations(source: string): Promise<string[]> {
  const rows = await county.query<{ relation: string }>(
    `SELECT concat_ws(' ', o.name, 'is', r.kind, 'of', p.name) AS relation
     FROM population.relation r JOIN population.person p USING (person_id)
     JOIN population.person o ON o.person_id = r.other_person_id WHERE r.source = $1`,
    [source],
  );
  return rows.map(({ relation }) => relation).sort();
}

describe('a household', () => {
  test('has its head, its members and their relations', async () => {
    await night(TONIGHT, { household_register: FAMILY });
    expect(await households()).toEqual([
      { code: '000000001', division: '620802001001', heads: 1, members: 3, head: '王强' },
    ]);
    expect(await relations('household_register')).toEqual([
      '李娜 is parent of 王小明',
      '李娜 is spouse of 王强',
      '王小明 is child of 李娜',
      '王小明 is child of 王强',
      '王强 is parent of 王小明',
      '王强 is spouse of 李娜',
    ]);
  });

  test.each([
    ['52', 'parent'],
    ['20', 'child'],
    ['38', 'relative'],
    ['77', 'relative'],
    ['98', undefined],
    ['80', undefined],
  ])('relation %s to the head', async (kinship, kind) => {
    await night(TONIGHT, { household_register: [member('W', '02'), member('L', kinship, LI)] });
    const [relation] = await county.query<{ kind: string }>(
      'SELECT kind FROM population.relation WHERE person_id = $1',
      [await personOf('household_register', 'W')],
    );
    expect(relation?.kind).toBe(kind);
  });

  test("the head's parents-in-law are the spouse's parents", async () => {
    const mother = {
      ...LI,
      name: '赵敏',
      id_number: residentNumber('19550101', '002'),
      birth_date: '19550101',
    };
    await night(TONIGHT, {
      household_register: [member('W', '02'), member('L', '12', LI), member('Z', '56', mother)],
    });
    expect(await relations('household_register')).toContain('赵敏 is parent of 李娜');
    expect(await relations('household_register')).toContain('赵敏 is relative of 王强');
  });

  test('without its head has none, and with two heads too', async () => {
    await night(TONIGHT, { household_register: FAMILY });
    const [, ...others] = FAMILY;
    county.setGates({ fewer_percent: 100 });
    await night(TOMORROW, { household_register: [member('W', '02', { status: '3' }), ...others] });
    expect(await households()).toMatchObject([{ heads: 0, members: 2, head: null }]);
    expect(await relations('household_register')).toEqual([
      '李娜 is parent of 王小明',
      '王小明 is child of 李娜',
    ]);
    await night('2026-11-20', { household_register: [member('W', '02'), member('L', '02', LI)] });
    expect(await households()).toMatchObject([{ heads: 2, members: 2, head: null }]);
  });

  test('loses a member that moves to another one, and goes with the last', async () => {
    await night(TONIGHT, { household_register: FAMILY });
    const moved = { household_number: '000000002' };
    await county.deliver('household_register', TOMORROW, [
      member('W', '02', moved),
      member('L', '10', LI),
      member('S', '20', SON),
    ]);
    await county.night(TOMORROW, ['household_register']);
    await bring({ persons: [await personOf('household_register', 'W')] });
    expect(await households()).toMatchObject([
      { code: '000000001', members: 2, head: null },
      { code: '000000002', members: 1, head: '王强' },
    ]);
    expect(await relations('household_register')).toEqual([
      '李娜 is parent of 王小明',
      '王小明 is child of 李娜',
    ]);
    await night('2026-11-20', {
      household_register: [
        member('W', '02', moved),
        member('L', '10', { ...LI, ...moved }),
        member('S', '20', { ...SON, ...moved }),
      ],
    });
    expect(await households()).toMatchObject([{ code: '000000002', members: 3, head: '王强' }]);
  });

  test('an unchanged night writes nothing', async () => {
    await night(TONIGHT, {
      household_register: FAMILY,
      marriage_registration: [marriage('M', '20050101', WIFE)],
    });
    expect(await bring()).toBe(0);
  });
});

describe('a marriage', () => {
  const COUPLE = ['李娜 is spouse of 王强', '王强 is spouse of 李娜'];

  test('makes spouses until the divorce, and again with the next wedding', async () => {
    await night(TONIGHT, { marriage_registration: [marriage('M', '20050101', WIFE)] });
    expect(await relations('marriage_registration')).toEqual(COUPLE);
    await night(TOMORROW, { marriage_registration: [marriage('N', '20100101', WIFE, '离婚')] });
    expect(await relations('marriage_registration')).toEqual([]);
    await night('2026-11-20', { marriage_registration: [marriage('O', '20120101', WIFE)] });
    expect(await relations('marriage_registration')).toEqual(COUPLE);
  });

  test('ends with a death, for both', async () => {
    await night(TONIGHT, { marriage_registration: [marriage('M', '20050101', WIFE)] });
    await county.deliver('death_registration', TOMORROW, [
      death('B', '王强', '18 08:00:00', { id_number: WANG.id_number }),
    ]);
    await county.night(TOMORROW, ['death_registration']);
    await bring({ persons: [await personOf('death_registration', 'B')] });
    expect(await relations('marriage_registration')).toEqual([]);
  });
});

test('a certificate tells the parents of a child, an enrolment the guardian of a pupil', async () => {
  await night(TONIGHT, {
    birth_certificate: [
      {
        certificate_number: 'C',
        child_name: '王小明',
        child_sex: '1',
        child_birth_date: '20260901',
        mother_id_number: LI.id_number,
        mother_name: LI.name,
        father_id_number: WANG.id_number,
        father_name: WANG.name,
        updated_at: '2026-09-10 08:00:00',
      },
    ],
    school_enrolment: [
      {
        enrolment_number: 'E',
        ...SON,
        name: '王大明',
        sex: '1',
        school: '一小',
        guardian_name: WANG.name,
        guardian_id_number: WANG.id_number,
      },
    ],
  });
  expect(await relations('birth_certificate')).toEqual([
    '李娜 is parent of 王小明',
    '王小明 is child of 李娜',
    '王小明 is child of 王强',
    '王强 is parent of 王小明',
  ]);
  expect(await relations('school_enrolment')).toEqual([
    '王大明 is ward of 王强',
    '王强 is guardian of 王大明',
  ]);
});
