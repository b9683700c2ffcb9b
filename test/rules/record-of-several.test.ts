import { expect, test } from 'vitest';
import { useNights } from './nights.ts';
import { GUARDIAN, pupil } from './registers.ts';
import { lease, register, residence, residentNumber } from './situation.ts';

const { county, nightAndCompare } = useNights();

/** So many others that a night that touches one person looks at few. */
const OTHERS = Array.from({ length: 40 }, (_, index) =>
  register(`O${index}`, {
    id_number: residentNumber('19700101', String(index).padStart(3, '0')),
    name: `其${'一二三四五六七八九十'[index % 10]}${'甲乙丙丁'[Math.floor(index / 10)]}`,
    birth_date: '19700101',
    household_number: `HO${index}`,
    phone: '',
  }),
);

test('a night that touches one person of a record leaves the case of the whole record open', async () => {
  // DQ16: a division that is not in the current table; the pupil alone has it, not the guardian.
  await county.deliver('household_register', '2026-11-18', OTHERS);
  await county.deliver('school_enrolment', '2026-11-18', [
    pupil('A', { registered_division: '620102999999' }),
  ]);
  await nightAndCompare('2026-11-18');

  await county.deliver('residence_registration', '2026-11-19', [residence('B', GUARDIAN)]);
  await nightAndCompare('2026-11-19');
  expect(await county.query('SELECT everybody FROM population.touched_night ORDER BY run_id')).toEqual([
    { everybody: true },
    { everybody: false },
  ]);
  expect(
    await county.query(`SELECT subject FROM anomalies.anomaly WHERE rule = 'DQ16' AND NOT healed`),
  ).toEqual([{ subject: 'school_enrolment|A' }]);
});

test('a record is looked at as a whole when one of its persons is: what is mended closes', async () => {
  await county.deliver('household_register', '2026-11-18', OTHERS);
  await county.deliver('school_enrolment', '2026-11-18', [
    pupil('A', { registered_division: '620102999999' }),
  ]);
  await nightAndCompare('2026-11-18');

  await county.deliver('school_enrolment', '2026-11-19', [pupil('A')]);
  await nightAndCompare('2026-11-19');
  expect(
    await county.query(`SELECT subject FROM anomalies.anomaly WHERE rule = 'DQ16' AND NOT healed`),
  ).toEqual([]);
});

test('a case about one role of a record rests when only the other is looked at', async () => {
  // DQ12: one telephone of seven tenants; the first of their leases has the case.
  await county.deliver('household_register', '2026-11-18', OTHERS);
  await county.deliver(
    'housing_lease',
    '2026-11-18',
    OTHERS.slice(0, 7).map(({ id_number = '', name = '' }, index) =>
      lease(`L${index}`, {
        landlord_id_number: GUARDIAN.id_number,
        landlord_name: GUARDIAN.name,
        tenant_id_number: id_number,
        tenant_name: name,
        tenant_phone: '13912904671',
      }),
    ),
  );
  await nightAndCompare('2026-11-18');

  await county.deliver('residence_registration', '2026-11-19', [residence('B', GUARDIAN)]);
  await nightAndCompare('2026-11-19');
  expect(await county.query(`SELECT role FROM anomalies.anomaly WHERE rule = 'DQ12' AND NOT healed`)).toEqual(
    [{ role: 'tenant' }],
  );
});
