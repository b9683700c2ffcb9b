import { describe, expect, test } from 'vitest';
import { report, trader } from '../rules/registers.ts';
import { insurance, register, residentNumber, TONIGHT } from '../rules/situation.ts';
import type { Row } from '../support/drop.ts';
import { usePictures } from './pictures.ts';

const { night, personOf, residencyOf } = usePictures();

/** The index of 王强, who is registered, on 2026-11-18. Few signs: the weights are the defaults, 0.9 for payments. */
async function indexWith(rows: Record<string, Row[]>): Promise<number | undefined> {
  await night(TONIGHT, { household_register: [register('H')], ...rows });
  return (await residencyOf(await personOf('household_register', 'H')))?.index;
}

const medical = (more: Row): Row =>
  insurance('S', { insurance_kind: '390', last_paid_month: '202610', ...more });

describe('the residency index', () => {
  test('no sign but an update of the register: 0.8 to the ninth', async () => {
    expect(await indexWith({})).toBe(0.1342);
  });

  test('a first sign two periods ago: 1, then 0.8 + 0.2 * 0.9, and once more', async () => {
    expect(await indexWith({ social_insurance: [medical({ insured_since: '20240601' })] })).toBe(0.964);
    const { months } = (await residencyOf(await personOf('household_register', 'H'))) ?? {};
    expect(months).toEqual({ medical_paid: 23, register_update: 1 });
  });

  test('payments of 2015 to October 2022: 0.9328 in the fifth period, then 0.8 to the fourth', async () => {
    const ended = medical({ insured_since: '20150101', last_paid_month: '202210', status: '3' });
    expect(await indexWith({ social_insurance: [ended] })).toBe(0.3821);
  });

  test('signs of several kinds add up, and never above 1', async () => {
    const pension = insurance('S', {
      insurance_kind: '170',
      last_paid_month: '202610',
      insured_since: '20240601',
    });
    const social_insurance = [medical({ insured_since: '20240601' }), pension];
    expect(await indexWith({ social_insurance, sole_trader: [trader('T')] })).toBe(1);
  });

  test('a birth of two years ago begins with 1', async () => {
    const born = { birth_date: '20240601', id_number: residentNumber('20240601', '001') };
    expect(await indexWith({ household_register: [register('H', born)] })).toBe(0.64);
  });

  test('moved in last year: begins with 1', async () => {
    expect(await indexWith({ household_register: [register('H', { moved_in_on: '20250301' })] })).toBe(0.8);
  });

  test('a minor without a sign has the index of the adults of the household', async () => {
    const child = {
      id_number: residentNumber('20190101', '003'),
      name: '王小宝',
      birth_date: '20190101',
      household_number: 'HH',
      kinship: '20',
    };
    const rows = {
      household_register: [register('H', { kinship: '02' }), register('K', child)],
      social_insurance: [medical({ insured_since: '20240601' })],
    };
    await night(TONIGHT, rows);
    expect((await residencyOf(await personOf('household_register', 'K')))?.index).toBe(0.964);
  });

  test('reported to have left the county: 0, whatever was paid since before', async () => {
    const social_insurance = [medical({ insured_since: '20240601' })];
    const left = report('1', '外出', '20260510', { destination: '140107' });
    expect(await indexWith({ social_insurance, village_report: [left] })).toBe(0);
  });

  test('left for a place in the county, or came back since: as if nothing had been reported', async () => {
    const social_insurance = [medical({ insured_since: '20240601' })];
    const moved = report('1', '外出', '20260510', { destination: '620802003' });
    expect(await indexWith({ social_insurance, village_report: [moved] })).toBe(0.964);
    const left = report('1', '外出', '20260510', { destination: '140107' });
    const back = report('2', '返乡', '20260810');
    await night('2026-11-19', { village_report: [left, back] });
    // The report that somebody came is a sign too, of weight 0.5.
    expect((await residencyOf(await personOf('household_register', 'H')))?.index).toBe(1);
  });

  test('who is not registered and gave no informative sign has the index 0', async () => {
    const village_report = [report('1', '死亡', '20261101')];
    const married = {
      certificate_number: 'M',
      event: '结婚',
      registered_on: '20260101',
      husband_name: '赵刚',
      husband_id_number: residentNumber('19800101', '005'),
      wife_name: '钱红',
      updated_at: '2026-11-01 08:00:00',
    };
    await night(TONIGHT, { village_report, marriage_registration: [married] });
    expect((await residencyOf(await personOf('marriage_registration', 'M', 'husband')))?.index).toBe(0);
  });
});
