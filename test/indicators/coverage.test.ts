import { describe, expect, test } from 'vitest';
import { COUNTY, SECOND, useSmallCounty, VILLAGE } from './small-county.ts';

const here = useSmallCounty();
const IN_FORCE = { living_division: VILLAGE, registered_on: '2026-01-18', valid_until: '2027-01-17' };
const EXPIRED = { living_division: VILLAGE, registered_on: '2025-01-18', valid_until: '2026-01-17' };
const comer = (born = '1990-01-01') => here.person({ category: 'in_migrant', born });

describe('people who came', () => {
  test('M01, M02 and M06: registrations in force, expired, and none', async () => {
    await here.record('residence_registration', 'R1', IN_FORCE, { subject: await comer() });
    await here.record('residence_registration', 'R2', EXPIRED, { subject: await comer() });
    const renewed = await comer();
    await here.record('residence_registration', 'R3', EXPIRED, { subject: renewed });
    await here.record(
      'residence_registration',
      'R4',
      { ...IN_FORCE, registered_on: '2026-05-18' },
      { subject: renewed },
    );
    await comer();
    await here.publish('M01', 'M02', 'M06');
    const ofCounty = async (code: string) => (await here.figures(code))[COUNTY];
    expect(await ofCounty('M01')).toEqual([50, 2, 4]);
    expect(await ofCounty('M02')).toEqual([66.6667, 2, 3]);
    // 304 and 184 days, of 30.436875 a month.
    expect((await ofCounty('M06'))?.[0]).toBeCloseTo(244 / 30.436875, 3);
    expect((await ofCounty('M06'))?.[2]).toBe(2);
  });

  test('M03: children of 6 to 14 who are at school', async () => {
    const pupil = await comer('2016-01-01');
    await comer('2016-01-01');
    await comer('2020-11-19');
    await here.record('school_enrolment', 'S1', {}, { subject: pupil, guardian: await comer() });
    expect(await here.figure('M03')).toEqual([50, 1, 2]);
  });

  test('M04: of 16 to 59 who are insured', async () => {
    await here.record(
      'social_insurance',
      'I1',
      { insurance_kind: '310', status: '1' },
      { subject: await comer() },
    );
    await here.record(
      'social_insurance',
      'I2',
      { insurance_kind: '310', status: '3' },
      { subject: await comer() },
    );
    await comer('1966-11-18');
    expect(await here.figure('M04')).toEqual([50, 1, 2]);
  });

  test('M05: leases in force whose tenant is registered either way', async () => {
    const lease = { division: SECOND, status: '有效', starts_on: '2026-01-01', ends_on: '2026-12-31' };
    const [registered, local, nobody] = [
      await comer(),
      await here.person({ village: SECOND }),
      await comer(),
    ];
    await here.record('residence_registration', 'R1', IN_FORCE, { subject: registered });
    await here.record('household_register', 'H1', { status: '1' }, { subject: local });
    await here.record('housing_lease', 'L1', lease, { tenant: registered });
    await here.record('housing_lease', 'L2', lease, { tenant: local, landlord: nobody });
    await here.record('housing_lease', 'L3', lease, { tenant: nobody, landlord: local });
    await here.record('housing_lease', 'L4', { ...lease, ends_on: '2026-11-17' }, { tenant: nobody });
    await here.record('housing_lease', 'L5', { ...lease, status: '注销' }, { tenant: nobody });
    await here.publish('M05');
    expect(await here.figures('M05')).toMatchObject({
      [COUNTY]: [66.6667, 2, 3],
      [SECOND]: [66.6667, 2, 3],
    });
  });
});

describe('benefits and trade', () => {
  test('B01 and B02: pensions of those over 16 who are not at school, health insurance of all', async () => {
    const [worker, pensioner, child, pupil] = [
      await here.person(),
      await here.person({ born: '1950-01-01' }),
      await here.person({ born: '2020-01-01' }),
      await here.person({ born: '2009-01-01' }),
    ];
    await here.person();
    await here.record('school_enrolment', 'S1', {}, { subject: pupil });
    const insured = (key: string, kind: string, subject: number, more = {}) =>
      here.record('social_insurance', key, { insurance_kind: kind, status: '1', ...more }, { subject });
    await insured('I1', '110', worker);
    await insured('I2', '170', pensioner, { status: '3', benefit_status: '1' });
    await insured('I3', '310', worker);
    await insured('I4', '390', child);
    await insured('I5', '390', pensioner, { status: '2' });
    await here.publish('B01', 'B02');
    expect((await here.figures('B01'))[COUNTY]).toEqual([66.6667, 2, 3]);
    expect((await here.figures('B02'))[COUNTY]).toEqual([40, 2, 5]);
  });

  test('B03 and B04: recipients among residents; those whose record is linked are checked', async () => {
    const [recipient, alone] = [await here.person(), await here.person({ category: 'unknown' })];
    await here.persons(3);
    await here.record('subsistence_allowance', 'A1', {}, { subject: recipient });
    await here.record(
      'social_insurance',
      'I1',
      { insurance_kind: '170', status: '1', benefit_status: '1' },
      { subject: alone },
      { method: 'single' },
    );
    await here.publish('B03', 'B04');
    expect((await here.figures('B03'))[COUNTY]).toEqual([25, 1, 4]);
    expect(await here.figures('B04')).toMatchObject({ [COUNTY]: [50, 1, 2], [VILLAGE]: [100, 1, 1] });
  });

  test('B05: operators in business among those of working age', async () => {
    const [trader, former, old] = await here.persons(2).then(async ([one = 0, two = 0]) => {
      return [one, two, await here.person({ born: '1950-01-01' })] as const;
    });
    await here.record('sole_trader', 'T1', { status: 'active' }, { operator: trader });
    await here.record('sole_trader', 'T2', { status: 'cancelled' }, { operator: former });
    await here.record('sole_trader', 'T3', { status: 'active' }, { operator: old });
    expect(await here.figure('B05')).toEqual([50, 1, 2]);
  });
});

describe('quality', () => {
  test('Q01 and Q02: mentions by the place that they name', async () => {
    const person = await here.person();
    await here.record('household_register', 'H1', {}, { subject: person }, { division: VILLAGE });
    await here.record(
      'housing_lease',
      'L1',
      {},
      { tenant: person },
      { division: VILLAGE, id_number: null, method: 'single' },
    );
    await here.record('marriage_registration', 'M1', {}, { husband: person });
    await here.publish('Q01', 'Q02');
    for (const code of ['Q01', 'Q02'])
      expect(await here.figures(code)).toMatchObject({ [COUNTY]: [66.6667, 2, 3], [VILLAGE]: [50, 1, 2] });
  });

  test('Q03: persons of several feeds on whom these agree', async () => {
    const [agreed, disputed, single] = [await here.person(), await here.person(), await here.person()];
    for (const [at, id] of [agreed, disputed].entries()) {
      await here.record('household_register', `H${at}`, {}, { subject: id });
      await here.record('social_insurance', `I${at}`, {}, { subject: id });
    }
    await here.record('household_register', 'H9', {}, { subject: single });
    await here.insert('population.disagreement', {
      ...{ person_id: disputed, attribute: 'birth_date', value: '1981-01-01', feeds: '{social_insurance}' },
    });
    await here.insert('population.disagreement', {
      ...{ person_id: agreed, attribute: 'phone', value: '1', feeds: '{social_insurance}' },
    });
    expect(await here.figure('Q03')).toEqual([50, 1, 2]);
  });

  test('Q04 and Q05: deliveries of the year, and their rows', async () => {
    await here.county.query(`
      INSERT INTO ops.delivery (feed, department, business_date, sequence, run_id, status, received, accepted, rejected,
                                new, changed, unchanged)
      SELECT 'school_enrolment', 'education', d::date, 1, (SELECT max(run_id) FROM ops.run), status, 20, 11, 9, 0, 0, 11
      FROM (VALUES ('2026-11-16', 'missing'), ('2025-11-01', 'applied')) v (d, status)`);
    await here.county.query(
      `UPDATE ops.delivery SET received = NULL, accepted = NULL WHERE status = 'missing'`,
    );
    await here.publish('Q04', 'Q05');
    // Twelve feeds of 17 November, 90 of 100 rows each, and one that is missing.
    expect(await here.figures('Q04')).toEqual({ [COUNTY]: [92.3077, 12, 13] });
    expect(await here.figures('Q05')).toEqual({ [COUNTY]: [90, 1080, 1200] });
  });

  test('Q06: cases closed in the year, by their last closing', async () => {
    const closed = async (id: number, on: readonly string[], status = 'resolved'): Promise<void> => {
      await here.county.query(
        `INSERT INTO anomalies.anomaly (anomaly_id, rule, subject, family, severity, status, department, division, first_seen,
                                        last_seen, due_on, opened_on, evidence)
         OVERRIDING SYSTEM VALUE
         VALUES ($1::bigint, 'DQ01', $1::text, 'DQ', 'low', $2, 'x', $3, '2026-01-01', '2026-01-01', '2026-06-01', '2026-01-01', '{}')`,
        [id, status, VILLAGE],
      );
      for (const day of on)
        await here.insert('anomalies.anomaly_event', {
          ...{ anomaly_id: id, kind: 'healed', run_id: 1, on_date: day, to_status: 'resolved' },
        });
    };
    await closed(1, ['2026-06-01']);
    await closed(2, ['2026-05-01', '2026-06-02']);
    await closed(3, ['2026-05-01'], 'new');
    await closed(4, ['2025-11-18']);
    await here.person();
    await here.publish('Q06');
    expect(await here.figures('Q06')).toMatchObject({ [COUNTY]: [50, 1, 2], [VILLAGE]: [50, 1, 2] });
  });
});
