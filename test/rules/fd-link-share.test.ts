import { describe, expect, test } from 'vitest';
import { type Row, title } from '../support/drop.ts';
import { residentNumber, useRules } from './situation.ts';

const { county, night, openCases } = useRules();
const TITLES = 'housing_ownership';

/** Given names of two of these: a hundred that neither sound nor look alike. */
const GIVEN = ['伟', '芳', '敏', '静', '丽', '强', '磊', '军', '洋', '勇'];

/** Titles of a hundred owners, of whom the first few give no number and cannot be linked to anybody. */
const titles = (withoutNumber: number, more: Row = {}): Row[] =>
  Array.from({ length: 100 }, (_, index) => {
    const number = residentNumber('19800101', String(index).padStart(3, '0'));
    const name = `王${GIVEN[Math.floor(index / 10)]}${GIVEN[index % 10]}`;
    return title(`Q${index}`, name, { owner_id_number: index < withoutNumber ? '' : number, ...more });
  });

/** A night for each count; every night moves the dwellings to another division, so that every mention changes. */
const nights = async (...withoutNumber: number[]): Promise<void> => {
  for (const [index, count] of withoutNumber.entries()) {
    await night(
      'FD06',
      { [TITLES]: titles(count, { division: `62080200100${index + 1}` }) },
      `2026-11-0${index + 1}`,
    );
  }
};

describe('FD06 the share of linked mentions fell', () => {
  test('by five points against the median: found, and closed when it recovers', async () => {
    await nights(2, 90, 3, 2, 1, 2, 2);
    expect(await night('FD06', { [TITLES]: titles(7) }, '2026-11-08')).toEqual([`${TITLES} 20261108`]);
    expect(await openCases('FD06')).toMatchObject([
      { subject: `${TITLES} 2026-11-08`, evidence: { share: 93, median: 98, runs: 7 } },
    ]);
    expect(await night('FD06', { [TITLES]: titles(3) }, '2026-11-09')).toEqual([]);
  });

  test.each([
    ['by four points', [2, 2, 6]],
    ['to what most of the last seven runs had', [2, 2, 2, 50, 50, 50, 50, 50]],
  ])('%s: not found', async (_how, withoutNumber) => {
    await nights(...withoutNumber);
    expect(await openCases('FD06')).toEqual([]);
  });

  test('a first night has nothing to be compared with', async () => {
    expect(await night('FD06', { [TITLES]: titles(100) })).toEqual([]);
  });
});

describe('the shares of linked mentions', () => {
  const shares = (): Promise<unknown[]> =>
    county.query(
      'SELECT feed, business_date::text, mentions, linked FROM ops.feed_link_share ORDER BY run_id',
    );

  test('a night writes those of the feeds whose mentions changed, and nothing when none did', async () => {
    await nights(2);
    const first = { feed: TITLES, business_date: '2026-11-01', mentions: 100, linked: 98 };
    expect(await shares()).toEqual([first]);
    await night(
      'FD06',
      { [TITLES]: titles(2, { division: '620802001001', registered_on: '20210101' }) },
      '2026-11-02',
    );
    expect(await shares()).toEqual([first]);
  });
});
