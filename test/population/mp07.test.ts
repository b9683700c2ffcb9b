import { expect, test } from 'vitest';
import { insurance, register, residentNumber, useRules } from '../rules/situation.ts';

const { night, openCases } = useRules();
const paid = (last: string) =>
  insurance('S', { insured_since: '20100101', last_paid_month: last, status: '3' });

test('MP07: registered, adult, and no sign of life: found, with the index', async () => {
  expect(await night('MP07', { household_register: [register('H')] })).toEqual([
    'household_register H subject',
  ]);
  expect(await openCases('MP07')).toMatchObject([{ evidence: { index: 0.1342 } }]);
});

test('MP07: insured until six years ago: found', async () => {
  const rows = { household_register: [register('H')], social_insurance: [paid('202010')] };
  expect(await night('MP07', rows)).toEqual(['household_register H subject']);
});

test.each([
  ['insured', { household_register: [register('H')], social_insurance: [insurance('S')] }],
  [
    'insured until four years ago: the index is still above',
    { household_register: [register('H')], social_insurance: [paid('202210')] },
  ],
  ['moved out of the register', { household_register: [register('H', { status: '2' })] }],
  [
    'a minor',
    {
      household_register: [
        register('H', { birth_date: '20100101', id_number: residentNumber('20100101', '001') }),
      ],
    },
  ],
])('MP07 is silent: %s', async (_, rows) => {
  expect(await night('MP07', rows)).toEqual([]);
});
