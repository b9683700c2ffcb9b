import { expect, test } from 'vitest';
import { loadIndicators } from '../../src/population/indicators/indicator-file.ts';
import { register, residentNumber, TONIGHT } from '../rules/situation.ts';
import { useCounty } from '../support/drop.ts';
import { inCounty } from './popshare.ts';

const county = useCounty();
const popshare = inCounty(county);

test('lists the figures of the county and why there are none, and shows one with its definition', async () => {
  county.indicators = await loadIndicators('config/indicators');
  const persons = Array.from({ length: 12 }, (_, at) =>
    register(`H${at}`, {
      id_number: residentNumber('19800101', `${at + 101}`),
      name: `王${'甲乙丙丁戊己庚辛壬癸子丑'[at]}`,
    }),
  );
  await county.send('household_register', TONIGHT, persons);

  const listed = JSON.parse((await popshare(['indicators', 'list', '--json'])).stdout);
  expect(listed.indicators).toHaveLength(county.indicators.length);
  expect(listed.indicators).toContainEqual({
    code: 'P01',
    title: '户籍人口 Registered population',
    value: 12,
    unit: '人 persons',
    suppressed: false,
    as_of: TONIGHT,
    lacks: null,
  });
  expect(listed.indicators).toContainEqual(
    expect.objectContaining({ code: 'P03', value: null, lacks: expect.stringContaining('housing_lease') }),
  );

  const shown = await popshare(['indicators', 'show', 'P01', '--division', '620802001001', '--json']);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(shown.stdout)).toMatchObject({
    code: 'P01',
    feeds: 'household_register',
    figures: [{ code: 'P01', division: '620802001001', period: '2026-11', value: 12, suppressed: false }],
  });

  const unknown = await popshare(['indicators', 'show', 'P99']);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toMatch(/^INDICATOR_UNKNOWN: there is no indicator P99/);
});
