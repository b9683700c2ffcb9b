import { describe, expect, test } from 'vitest';
import { death, type Row } from '../support/drop.ts';
import { register, residentNumber, TONIGHT, useRules } from './situation.ts';

const { county, night, openCases } = useRules();
const TOWN = '620802001';
const VILLAGE = `${TOWN}001`;
const BOTH = ['620802000000', `${TOWN}000`];

const found = async (rule: string): Promise<string[]> =>
  (await openCases(rule)).map(({ subject }) => subject.split(' ')[0] ?? '').toSorted();

const times = (count: number, row: (at: number) => Row): Row[] =>
  Array.from({ length: count }, (_, at) => row(at));

/** Somebody of the register, by the date of birth; every one with a number of their own. */
function person(at: number, birthDate: string, more: Row = {}): Row {
  const sequence = String(at % 1000).padStart(3, '0');
  return register(`H${at}`, {
    id_number: residentNumber(birthDate, sequence),
    name: '王强',
    sex: Number(sequence.at(-1)) % 2 === 1 ? '1' : '2',
    birth_date: birthDate,
    registered_division: VILLAGE,
    ...more,
  });
}

function birth(at: number, sex: string, bornOn = '20260301', more: Row = {}): Row {
  return {
    certificate_number: `C${at}`,
    child_sex: sex,
    child_birth_date: bornOn,
    mother_name: '李娜',
    mother_registered_division: VILLAGE,
    mother_living_division: VILLAGE,
    updated_at: '2026-11-01 08:00:00',
    ...more,
  };
}

describe('ST01 sex ratio at birth', () => {
  // One birth certificate's mother is enough of a register to say which county this is.
  const somebody = { household_register: [person(0, '19800101')] };
  // 200 births: the centre is 102.9 boys, three standard deviations 21.2; 125 boys are beyond, 124 are not.
  const births = (boys: number, girls: number, more: Row = {}) => ({
    ...somebody,
    birth_certificate: times(boys + girls, (at) => birth(at, at < boys ? '1' : '2', '20260301', more)),
  });

  test('outside the funnel, for county and township, with numbers and limits', async () => {
    await night('ST01', births(125, 75));
    expect(await found('ST01')).toEqual(BOTH);
    const [{ evidence } = { evidence: {} }] = await openCases('ST01');
    expect(evidence).toMatchObject({
      births: 200,
      boys: 125,
      girls: 75,
      sex_ratio: 166.7,
      upper_limit: 163.6,
    });
  });

  test.each([
    ['inside the funnel', births(124, 76)],
    ['fewer than 100 births', births(90, 9)],
    ['mothers of another county', births(125, 75, { mother_living_division: '610111002223' })],
  ])('silent: %s', async (_why, deliveries) => {
    await night('ST01', deliveries);
    expect(await found('ST01')).toEqual([]);
  });

  test('silent: births of the running month, and of more than a year ago', async () => {
    const early = times(60, (at) => birth(at, '1', '20251031'));
    const late = times(60, (at) => birth(100 + at, '1', '20261101'));
    await night('ST01', { ...somebody, birth_certificate: [...early, ...late] });
    expect(await found('ST01')).toEqual([]);
  });
});

describe('ST02 age heaping', () => {
  /** Adults of 40 ages, as many of each; 8 of the ages end in 0 or 5. */
  const even = (count: number): Row[] => times(count, (at) => person(at, `${2026 - 23 - (at % 40)}0601`));
  const aged40 = (count: number): Row[] => times(count, (at) => person(600 + at, '19860601'));

  test('ages that end in 0 or 5 above 125 % of their share; the zodiac beside it', async () => {
    await night('ST02', { household_register: [...even(480), ...aged40(40)] });
    expect(await found('ST02')).toEqual(BOTH);
    const [{ evidence } = { evidence: {} }] = await openCases('ST02');
    // (96 + 40) of 520, times 5.
    expect(evidence).toMatchObject({ persons: 520, whipple_index: 130.8, zodiac: { 虎: 76 } });
  });

  test.each([
    ['even ages', even(520)],
    ['an index of 123.5', [...even(480), ...aged40(30)]],
    ['fewer than 500 adults', aged40(399)],
    ['not in the register any more', aged40(390).map((row) => ({ ...row, status: '2' }))],
  ])('silent: %s', async (_why, household_register) => {
    await night('ST02', { household_register });
    expect(await found('ST02')).toEqual([]);
  });
});

describe('ST03 births differ', () => {
  const registered = (count: number): Row[] => times(count, (at) => person(at, '20260301'));
  const certified = (count: number, bornOn = '20260301'): Row[] =>
    times(count, (at) => birth(at, '1', bornOn));

  test('more than 10 per cent apart, either way', async () => {
    await night('ST03', { household_register: registered(53), birth_certificate: certified(60) });
    expect(await found('ST03')).toEqual(BOTH);
    const [{ evidence } = { evidence: {} }] = await openCases('ST03');
    expect(evidence).toEqual({ births_by_health: 60, births_in_register: 53, difference_percent: 11.7 });
  });

  test.each([
    ['10 per cent', registered(54), certified(60)],
    ['fewer than 50 births', registered(30), certified(49)],
    [
      'births of the last three months, which may yet be registered',
      registered(60),
      [...certified(60), ...times(30, (at) => birth(900 + at, '1', '20260801'))],
    ],
  ])('silent: %s', async (_why, household_register, birth_certificate) => {
    await night('ST03', { household_register, birth_certificate });
    expect(await found('ST03')).toEqual([]);
  });
});

describe('ST04 deaths missing', () => {
  // 1,000 men of 70: 51.03 per 1,000 at level 0.6 are 30.6 deaths; four fifths of them are 24.5.
  const old = (count: number): Row[] =>
    times(count, (at) => person(at * 2 + 1, '19560101', { id_number: '', name: `王${at}` }));
  const deaths = (count: number): Row[] =>
    times(count, (at) =>
      death(`D${at}`, `李${at}`, '02 08:00:00', {
        id_number: residentNumber('19400101', String(at * 2 + 1).padStart(3, '0')),
        died_on: '2026-05-01',
      }),
    );
  const dead = (count: number): Row[] =>
    times(count, (at) =>
      person(5000 + at, '19400101', {
        id_number: residentNumber('19400101', String(at * 2 + 1).padStart(3, '0')),
        name: `李${at}`,
        sex: '1',
        status: '3',
      }),
    );
  const men = (count: number): Row[] => old(count).map((row) => ({ ...row, sex: '1' }));

  test('fewer than 80 per cent of those expected', async () => {
    await night('ST04', { household_register: [...men(1000), ...dead(24)], death_registration: deaths(24) });
    expect(await found('ST04')).toEqual(BOTH);
    const [{ evidence } = { evidence: {} }] = await openCases('ST04');
    expect(evidence).toEqual({ deaths_registered: 24, deaths_expected: 30.6, percent: 78.4 });
  });

  test.each([
    ['enough deaths', 1000, 25],
    ['fewer than 20 expected', 650, 0],
  ])('silent: %s', async (_why, living, died) => {
    await night('ST04', {
      household_register: [...men(living), ...dead(died)],
      death_registration: deaths(died),
    });
    expect(await found('ST04')).toEqual([]);
  });
});

describe('ST06 birthdays on 1 January', () => {
  // 500 persons: one in 365.25 is 1.37, three times that 4.1.
  const people = (onNewYear: number, all = 500): Row[] =>
    times(all, (at) => person(at, at < onNewYear ? '19800101' : '19800601'));

  test('above three times their share', async () => {
    await night('ST06', { household_register: people(5) });
    expect(await found('ST06')).toEqual(['household_register']);
  });

  test.each([
    ['below', people(4)],
    ['fewer than 500 persons', people(100, 499)],
  ])('silent: %s', async (_why, household_register) => {
    await night('ST06', { household_register });
    expect(await found('ST06')).toEqual([]);
  });
});

describe('ST07 the population does not balance', () => {
  const LATER = '2026-12-20';
  const people = (from: number, to: number, more: Row = {}): Row[] =>
    times(to - from, (at) => person(from + at, '19800101', more));
  async function months(before: Row[], after: Row[]): Promise<void> {
    county.setGates({ fewer_percent: 90, more_percent: 900 });
    await night('ST07', { household_register: before });
    await night('ST07', { household_register: after }, LATER);
  }

  test('persons who appear without birth or moving in', async () => {
    await months(people(0, 1000), people(0, 1006));
    expect(await found('ST07')).toEqual(BOTH);
    const [{ evidence } = { evidence: {} }] = await openCases('ST07');
    expect(evidence).toMatchObject({ at_start: 1000, at_end: 1006, unexplained: 6 });
  });

  test('persons who vanish without a trace', async () => {
    await months(people(0, 1010), people(0, 1000));
    expect(await found('ST07')).toEqual(BOTH);
  });

  test.each([
    ['born', people(0, 1000), [...people(0, 1000), ...people(1000, 1010, { birth_date: '20261205' })]],
    ['moved in', people(0, 1000), [...people(0, 1000), ...people(1000, 1010, { moved_in_on: '20261205' })]],
    [
      'dead and moved out',
      people(0, 1010),
      [...people(0, 1000), ...people(1000, 1005, { status: '3' }), ...people(1005, 1010, { status: '2' })],
    ],
    ['within half a per cent', people(0, 1000), people(0, 1005)],
    ['fewer than 1,000 persons', people(0, 999), people(0, 1100)],
  ])('silent: %s', async (_why, before, after) => {
    await months(before, after);
    expect(await found('ST07')).toEqual([]);
  });

  test('silent: no history that reaches back', async () => {
    await night('ST07', { household_register: people(0, 1000) }, TONIGHT);
    expect(await found('ST07')).toEqual([]);
  });
});
