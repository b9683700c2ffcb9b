import { describe, expect, test } from 'vitest';
import { residentNumber } from '../rules/situation.ts';
import { fileOf, type Row, useCounty } from '../support/drop.ts';

// What single feeds do that no other one does.

const county = useCounty('ingest', 'identity');
const [FIRST, SECOND] = ['2026-11-18', '2026-11-19'];

interface Mention {
  key: string;
  role: string;
  name: string | null;
  sex: string | null;
  phone: string | null;
  division: string | null;
  persons: number;
}

/** Who stands in the records of a feed, and how many mentions the person of each has. */
async function mentions(feed: string): Promise<Mention[]> {
  return county.query<Mention>(
    `SELECT m.source_key AS key, m.role, m.name, m.sex, m.phone, m.division,
            (SELECT count(*) FROM identity.link o WHERE o.person_id = l.person_id) AS persons
     FROM identity.mention m JOIN identity.link l USING (mention_id)
     WHERE m.active AND m.feed = $1 ORDER BY m.source_key, m.role`,
    [feed],
  );
}

describe('birth_certificate', () => {
  const MOTHER = residentNumber('19980114', '002');
  const certificate = (key: string, more: Row = {}): Row => ({
    certificate_number: key,
    child_sex: '2',
    child_birth_date: '20260422',
    mother_id_number: MOTHER,
    mother_name: '李娜',
    mother_birth_date: '19980114',
    mother_living_division: '620802203205',
    updated_at: '2026-05-12 18:35:13',
    ...more,
  });

  test('a newborn without a name is a person; a father who is not told is nobody', async () => {
    const report = await county.send('birth_certificate', FIRST, [certificate('C1')]);
    expect(report).toMatchObject({ status: 'applied', accepted: 1, rejected: 0 });
    expect(await mentions('birth_certificate')).toMatchObject([
      { role: 'child', name: null, sex: '2', division: '620802203205', persons: 1 },
      { role: 'mother', name: '李娜', sex: '2', persons: 1 },
    ]);
  });

  test('children without a name stay apart, twins too; the mother is one', async () => {
    await county.send('birth_certificate', FIRST, [certificate('C1'), certificate('C2')]);
    const found = await mentions('birth_certificate');
    expect(found.map(({ role, persons }) => [role, persons])).toEqual([
      ['child', 1],
      ['mother', 2],
      ['child', 1],
      ['mother', 2],
    ]);
  });

  test('a name that comes later finds the child in the household register', async () => {
    const named = { child_name: '王佳琳', updated_at: '2026-11-19 08:00:00' };
    await county.deliver('household_register', FIRST, [
      {
        person_number: 'H1',
        id_number: residentNumber('20260422', '004'),
        name: '王佳琳',
        sex: '2',
        birth_date: '20260422',
        registered_division: '620802203205',
        household_number: 'H',
        status: '1',
        updated_at: '2026-06-01 08:00:00',
      },
    ]);
    await county.deliver('birth_certificate', FIRST, [certificate('C1')]);
    await county.night(FIRST, ['household_register', 'birth_certificate']);
    expect(await mentions('household_register')).toMatchObject([{ persons: 1 }]);
    await county.send('birth_certificate', SECOND, [certificate('C1', named)]);
    expect(await mentions('household_register')).toMatchObject([{ persons: 2 }]);
  });

  test('a child must have a sex and a day of birth', async () => {
    county.setGates({ rejected_percent: 100 });
    const report = await county.send('birth_certificate', FIRST, [
      certificate('C1', { child_sex: '' }),
      certificate('C2', { child_birth_date: '20260431' }),
    ]);
    expect(report).toMatchObject({ accepted: 0, rejected: 2 });
  });
});

describe('school_enrolment', () => {
  const pupil = (key: string, more: Row = {}): Row => ({
    enrolment_number: key,
    id_number: residentNumber('20150422', '001'),
    name: '王强',
    sex: '1',
    birth_date: '20150422',
    school: '白水镇中心小学',
    grade: '5',
    living_division: '620802102215',
    guardian_name: '李娜',
    guardian_id_number: residentNumber('19880114', '002'),
    guardian_phone: '13911963931',
    ...more,
  });

  test("the telephone is the guardian's", async () => {
    await county.send('school_enrolment', FIRST, [pupil('G1')]);
    expect(await mentions('school_enrolment')).toMatchObject([
      { role: 'guardian', name: '李娜', phone: '13911963931', division: null },
      { role: 'subject', name: '王强', phone: null, division: '620802102215' },
    ]);
  });

  test('a pupil without a guardian names one person', async () => {
    await county.send('school_enrolment', FIRST, [
      pupil('G1', { guardian_name: '', guardian_id_number: '' }),
    ]);
    expect((await mentions('school_enrolment')).map(({ role }) => role)).toEqual(['subject']);
  });

  test('a renamed column holds the delivery, and yesterday stands (FD03)', async () => {
    await county.send('school_enrolment', FIRST, [pupil('G1')]);
    const binding = county.binding('school_enrolment');
    const renamed = { ...binding, columns: { ...binding.columns, id_number: '身份证件号' } };
    await county.deliverBytes('school_enrolment', SECOND, fileOf(renamed, [pupil('G1'), pupil('G2')]), 2);
    const report = await county.ingest('school_enrolment', SECOND);
    expect(report).toMatchObject({ status: 'held', received: 2, new: null });
    expect(
      await county.query("SELECT rule, holds, evidence FROM ops.gate_finding WHERE rule = 'FD03'"),
    ).toEqual([
      {
        rule: 'FD03',
        holds: true,
        evidence: {
          missing: ['证件号码'],
          extra: ['身份证件号'],
          likely_renames: [{ from: '证件号码', to: '身份证件号' }],
        },
      },
    ]);
    expect(await county.records('school_enrolment', 'name')).toEqual({ G1: '王强' });
  });
});

describe('sole_trader', () => {
  const trader = (key: string, status: string, updatedAt: string): string =>
    JSON.stringify({
      registration_no: key,
      operator_id_number: residentNumber(),
      operator_name: '王强',
      trade_name: '崆峒区王记面馆',
      premises: '崆峒区东大街1号',
      division: '620802001001',
      established_on: '2023-10-23',
      status,
      updated_at: updatedAt,
    });

  test('JSON lines under English names: the latest version stands, an empty file is a night without changes', async () => {
    const lines = [
      trader('92A', 'cancelled', '2026-11-18T08:00:00.000Z'),
      trader('92A', 'active', '2025-09-26T05:25:10.000Z'),
      trader('92B', 'closed', '2025-09-26T05:25:10.000Z'),
    ];
    county.setGates({ rejected_percent: 100 });
    await county.deliverBytes('sole_trader', FIRST, Buffer.from(lines.join('\n')), 3);
    expect(await county.ingest('sole_trader', FIRST)).toMatchObject({ received: 3, rejected: 1, new: 1 });
    expect(await county.records('sole_trader', 'status')).toEqual({ '92A': 'cancelled' });
    await county.deliverBytes('sole_trader', SECOND, Buffer.alloc(0), 0);
    expect(await county.ingest('sole_trader', SECOND)).toMatchObject({ status: 'applied', received: 0 });
    expect(await mentions('sole_trader')).toMatchObject([{ role: 'operator', name: '王强' }]);
  });
});

describe('village_report', () => {
  const item = (village: string, period: string, number: string, more: Row = {}): Row => ({
    village,
    report_period: period,
    item_number: number,
    name: '王强',
    sex: '1',
    birth_date: '19800101',
    event: '外出',
    event_on: '20260608',
    ...more,
  });

  test('village, month and number name the record; the village is where the person is put', async () => {
    const rows = [
      item('620802002002', '202610', '1'),
      item('620802002002', '2026-11', '1'),
      item('620802104211', '202610', '1'),
      item('620802104211', '202610', '2'),
    ];
    await county.send('village_report', FIRST, rows);
    expect(Object.keys(await county.records('village_report', 'event'))).toEqual([
      '620802002002|202610|1',
      '620802002002|202611|1',
      '620802104211|202610|1',
      '620802104211|202610|2',
    ]);
    expect((await mentions('village_report')).map(({ division }) => division)).toEqual(
      rows.map(({ village }) => village),
    );
  });

  test('events, months and villages that are none are refused', async () => {
    county.setGates({ rejected_percent: 100 });
    const report = await county.send('village_report', FIRST, [
      item('620802002002', '202610', '1', { event: '旅游' }),
      item('620802002002', '202613', '2'),
      item('六二', '202610', '3'),
      ...['出生', '死亡', '迁入', '迁出', '外出', '返乡'].map((event, index) =>
        item('620802002002', '202610', `${index + 4}`, { event }),
      ),
    ]);
    expect(report).toMatchObject({ received: 9, rejected: 3, new: 6 });
    expect(await county.query('SELECT field, code FROM ops.rejected_row ORDER BY line')).toEqual([
      { field: '事项', code: 'UNKNOWN_CODE' },
      { field: '报告期', code: 'NOT_A_MONTH' },
      { field: '村代码', code: 'NOT_A_DIVISION' },
    ]);
  });
});
