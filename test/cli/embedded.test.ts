import { expect, test } from 'vitest';
import { makeSite } from '../warehouse/embedded-site.ts';
import { popshare } from './popshare.ts';

const site = makeSite();

test('without DATABASE_URL the warehouse is in POPSHARE_DATA: not migrated at first, then it is', async () => {
  const environment = { POPSHARE_CONFIG: 'config', POPSHARE_DATA: site.base };
  const early = await popshare(['status'], environment);
  expect(early).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^DATABASE_NOT_MIGRATED: /m),
  });
  expect(await popshare(['migrate'], environment)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('0001-ledger'),
  });
  const status = await popshare(['status', '--json'], environment);
  expect(status.code).toBe(0);
  expect(JSON.parse(status.stdout)).toEqual({
    runs: [],
    waiting: [],
    cases: [],
    late_feeds: [],
    doubtful_rules: [],
    stuck_notices: [],
  });
  expect(await site.serverIsLeft()).toBe(false);
});
