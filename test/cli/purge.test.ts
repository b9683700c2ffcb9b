import { expect, test } from 'vitest';
import { title, useCounty } from '../support/drop.ts';
import { inCounty } from './popshare.ts';

const county = useCounty();
const popshare = inCounty(county);
const FEED = 'housing_ownership';

test('a dry run counts and takes nothing away; a purge does, in a run of its own', async () => {
  const titles = Array.from({ length: 20 }, (_, index) => title(`T${index}`, '王强'));
  await county.send(FEED, '2026-11-18', titles);
  await county.send(FEED, '2026-11-19', titles.slice(1));
  await county.query(`UPDATE ops.delivery SET arrived_at = '2020-01-01 00:00+08'`);
  const found = { what: 'landed files', setting: 'landed_files', count: 1 };
  for (const args of [['purge', '--dry-run', '--json'], ['purge', '--json'], ['purge']]) {
    const { code, stdout } = await popshare(args);
    expect(code).toBe(0);
    if (args.length === 1) expect(stdout).toBe('nothing has expired\n');
    else expect(JSON.parse(stdout).purged).toContainEqual(expect.objectContaining(found));
  }
  expect(await county.query(`SELECT purpose, status FROM ops.run WHERE purpose = 'purge'`)).toEqual([
    { purpose: 'purge', status: 'done' },
    { purpose: 'purge', status: 'done' },
  ]);
});
