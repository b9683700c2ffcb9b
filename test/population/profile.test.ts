import { describe, expect, test } from 'vitest';
import { decide, lift } from '../../src/jobs/decision.ts';
import { loadSurvivorship } from '../../src/population/survivorship.ts';
import { mentionOf, personsModel } from '../identity/persons.ts';
import {
  insurance,
  marriage,
  register,
  residence,
  residentNumber,
  TOMORROW,
  TONIGHT,
  WANG,
} from '../rules/situation.ts';
import { death } from '../support/drop.ts';
import { usePopulation } from './bring.ts';

const { county, night, bring, personOf } = usePopulation();

const PHONES = ['13912904678', '13912904679', '13912904680'] as const;
const LI = { id_number: residentNumber('19820101', '002'), name: '李娜', sex: '2', birth_date: '19820101' };

async function profileOf(feed: string, key: string): Promise<Record<string, unknown>> {
  const [row] = await county.query<Record<string, unknown>>(
    'SELECT * FROM population.person WHERE person_id = $1',
    [await personOf(feed, key)],
  );
  return row ?? {};
}

async function disagreements(): Promise<unknown[]> {
  return county.query(
    'SELECT attribute, value, feeds FROM population.disagreement ORDER BY attribute, value',
  );
}

describe('the value kept', () => {
  test('is the only one that is said, and its feed is told where it is not the main one', async () => {
    await night(TONIGHT, {
      household_register: [register('H', { registered_address: '崆峒区东大街1号', marital_status: '21' })],
      social_insurance: [insurance('S', { phone: PHONES[0] })],
    });
    expect(await profileOf('household_register', 'H')).toEqual({
      person_id: await personOf('household_register', 'H'),
      id_number: WANG.id_number,
      name: '王强',
      sex: '1',
      birth_date: '1980-01-01',
      death_date: null,
      phone: PHONES[0],
      marital_status: '20',
      registered_division: '620802001001',
      registered_address: '崆峒区东大街1号',
      household_code: 'HH',
      is_local: true,
      source: 'household_register',
      other_sources: { phone: 'social_insurance' },
    });
    expect(await disagreements()).toEqual([]);
  });

  test('is what most feeds say', async () => {
    await night(TONIGHT, {
      household_register: [register('H', { phone: PHONES[0] })],
      residence_registration: [residence('J', { phone: PHONES[1] })],
      social_insurance: [insurance('S', { phone: PHONES[1] })],
    });
    expect(await profileOf('household_register', 'H')).toMatchObject({ phone: PHONES[1] });
    expect(await disagreements()).toEqual([
      { attribute: 'phone', value: PHONES[0], feeds: ['household_register'] },
    ]);
  });

  test('is what the most trusted feed says, where the site puts trust before agreement', async () => {
    await night(TONIGHT, {
      household_register: [register('H', { phone: PHONES[0] })],
      residence_registration: [residence('J', { phone: PHONES[1] })],
      social_insurance: [insurance('S', { phone: PHONES[1] })],
    });
    const survivorship = await loadSurvivorship('config');
    const { attributes } = survivorship;
    const phone = { ...attributes.phone, order: ['trust', 'agreement'] } as const;
    await bring({ survivorship: { ...survivorship, attributes: { ...attributes, phone } } });
    expect(await profileOf('household_register', 'H')).toMatchObject({ phone: PHONES[0] });
  });

  test('is the newer one, where as many say either', async () => {
    await night(TONIGHT, {
      household_register: [register('H', { phone: PHONES[0], updated_at: '2026-01-01 08:00:00' })],
      residence_registration: [residence('J', { phone: PHONES[1], updated_at: '2026-02-01 08:00:00' })],
    });
    expect(await profileOf('household_register', 'H')).toMatchObject({ phone: PHONES[1] });
  });

  test('is the birth date and the sex that the number tells, whoever says otherwise', async () => {
    await night(TONIGHT, {
      household_register: [register('H', { birth_date: '19800102', sex: '2' })],
      residence_registration: [residence('J', { birth_date: '19800102', sex: '2' })],
      social_insurance: [insurance('S')],
    });
    expect(await profileOf('household_register', 'H')).toMatchObject({
      birth_date: '1980-01-01',
      sex: '1',
      other_sources: { birth_date: 'social_insurance', sex: 'social_insurance' },
    });
  });

  test('is what the number tells, where no record says it', async () => {
    await night(TONIGHT, { social_insurance: [insurance('S', { birth_date: '', sex: '' })] });
    expect(await profileOf('social_insurance', 'S|110')).toMatchObject({
      birth_date: '1980-01-01',
      sex: '1',
      source: 'social_insurance',
      other_sources: { birth_date: 'id_number', sex: 'id_number' },
    });
  });

  test('is a readable name before an unreadable one', async () => {
    await night(TONIGHT, {
      household_register: [register('H', { name: '王□' })],
      social_insurance: [insurance('S')],
    });
    expect(await profileOf('household_register', 'H')).toMatchObject({ name: '王强' });
  });

  test('is never a number that is none', async () => {
    await night(TONIGHT, { household_register: [register('H', { id_number: '620802198001010011' })] });
    expect(await profileOf('household_register', 'H')).toMatchObject({ id_number: null });
    expect(await disagreements()).toEqual([
      { attribute: 'id_number', value: '620802198001010011', feeds: ['household_register'] },
    ]);
  });

  test('is no place of registration once the registration has ended', async () => {
    await night(TONIGHT, {
      household_register: [register('H', { status: '3', cancelled_on: '20261110' })],
    });
    expect(await profileOf('household_register', 'H')).toMatchObject({
      registered_division: null,
      household_code: null,
      is_local: false,
      death_date: '2026-11-10',
    });
    await night(TOMORROW, {
      death_registration: [death('B', '王强', '18 08:00:00', { id_number: WANG.id_number })],
    });
    expect(await profileOf('household_register', 'H')).toMatchObject({ death_date: '2026-11-01' });
    expect(await disagreements()).toEqual([]);
  });

  test('is the marital status by the last registration; widowed contradicts no marriage', async () => {
    const wife = { name: LI.name, id: LI.id_number };
    await night(TONIGHT, {
      household_register: [
        register('H', { marital_status: '10' }),
        register('I', { ...LI, marital_status: '30' }),
      ],
      marriage_registration: [marriage('M', '20150101', wife)],
    });
    expect(await profileOf('household_register', 'H')).toMatchObject({ marital_status: '20' });
    expect(await profileOf('household_register', 'I')).toMatchObject({ marital_status: '30' });
    expect(await disagreements()).toEqual([
      { attribute: 'marital_status', value: '10', feeds: ['household_register'] },
    ]);
    await night(TOMORROW, { marriage_registration: [marriage('N', '20200101', wife, '离婚')] });
    expect(await profileOf('household_register', 'H')).toMatchObject({ marital_status: '40' });
  });
});

describe('a night', () => {
  test('takes away a disagreement that was mended', async () => {
    await night(TONIGHT, {
      household_register: [register('H')],
      social_insurance: [insurance('S', { birth_date: '19800110' })],
    });
    expect(await disagreements()).toEqual([
      { attribute: 'birth_date', value: '1980-01-10', feeds: ['social_insurance'] },
    ]);
    await night(TOMORROW, { social_insurance: [insurance('S')] });
    expect(await disagreements()).toEqual([]);
  });

  test('that changes nothing writes nothing', async () => {
    await night(TONIGHT, {
      household_register: [
        register('H', { phone: PHONES[0], registered_address: '崆峒区东大街1号', kinship: '02' }),
        register('I', { ...LI, household_number: 'HH', kinship: '12' }),
      ],
      residence_registration: [residence('J', { phone: PHONES[1], dwelling_code: 'F1' })],
      social_insurance: [insurance('S', { birth_date: '19800110', phone: PHONES[2] })],
    });
    expect(await bring()).toBe(0);
  });

  test('changes nobody else', async () => {
    await night(TONIGHT, { household_register: [register('H'), register('I', LI)] });
    await county.query(`UPDATE population.person SET name = 'x'`);
    expect(await bring({ persons: [await personOf('household_register', 'H')] })).toBe(1);
    expect(await profileOf('household_register', 'I')).toMatchObject({ name: 'x' });
  });

  test('takes the profile of whom no record names any more', async () => {
    await night(TONIGHT, { social_insurance: [insurance('S'), insurance('T', LI)] });
    county.setGates({ fewer_percent: 100 });
    await night(TOMORROW, { social_insurance: [insurance('S')] });
    expect(await county.query('SELECT name FROM population.person')).toEqual([{ name: '王强' }]);
  });

  test('takes the profile of who was merged away, and brings it back when they part', async () => {
    await night(TONIGHT, {
      household_register: [register('H')],
      social_insurance: [insurance('S', { ...LI, phone: PHONES[0] })],
    });
    const mentions = [
      await mentionOf(county, 'household_register H subject'),
      await mentionOf(county, 'social_insurance S|110 subject'),
    ] as const;
    const names = async (): Promise<unknown[]> =>
      (await county.query<{ name: string }>('SELECT name FROM population.person ORDER BY name')).map(
        ({ name }) => name,
      );
    expect(await names()).toEqual(['李娜', '王强']);
    const model = await personsModel();
    const decisionId = await decide(county.warehouse, model, {
      verdict: 'same',
      mentions,
      reason: '核实',
      decidedBy: 'officer',
    });
    await bring();
    expect(await names()).toEqual(['王强']);
    expect(await disagreements()).toContainEqual({
      attribute: 'name',
      value: '李娜',
      feeds: ['social_insurance'],
    });
    await lift(county.warehouse, model, { decisionId, reason: '误判', liftedBy: 'officer' });
    await bring();
    expect(await names()).toEqual(['李娜', '王强']);
    expect(await disagreements()).toEqual([]);
  });
});
