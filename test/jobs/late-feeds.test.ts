import { expect, test } from 'vitest';
import { reportLines } from '../../src/cli/report.ts';
import { lateFeeds } from '../../src/jobs/late-feeds.ts';
import { title, useCounty } from '../support/drop.ts';

const county = useCounty();
const [FIRST, SECOND] = ['2026-11-18', '2026-11-19'];
const FEED = 'housing_ownership';
const late = { feed: FEED, department: 'housing', title: '不动产权登记', sender: '房产', cut_off: '22:00' };
const now = () => lateFeeds(county.warehouse.db, county.configuration, null);

test('a feed that is not here is late, in the night’s report and until its next delivery is in time', async () => {
  const night = await county.night(FIRST, [FEED]);
  expect(night).toMatchObject({ late_feeds: [{ ...late, business_date: FIRST, arrived_at: null }] });
  expect(reportLines(night)).toContain(
    'late 未按时报送: 不动产权登记（房产）：业务日期 2026-11-18，截止 22:00，仍未到',
  );
  expect(await now()).toMatchObject([{ feed: FEED, arrived_at: null }]);

  await county.deliver(FEED, FIRST, [title('T1', '王强')]);
  const again = await county.night(FIRST, [FEED]);
  expect(again.deliveries).toMatchObject([{ status: 'applied' }]);
  expect(again).toMatchObject({
    late_feeds: [{ ...late, business_date: FIRST, arrived_at: expect.any(Date) }],
  });
  expect(reportLines(again).join('\n')).toMatch(/截止 22:00，\d{4}-\d\d-\d\d \d\d:\d\d 到达/);
  expect(await now()).toMatchObject([{ feed: FEED, arrived_at: expect.any(Date) }]);

  await county.deliver(FEED, SECOND, [title('T1', '王强')]);
  expect(await county.night(SECOND, [FEED])).not.toHaveProperty('late_feeds');
  expect(await now()).toEqual([]);
});

test('a night with everything in time names nothing late', async () => {
  await county.deliver(FEED, FIRST, [title('T1', '王强')]);
  const report = await county.night(FIRST, [FEED]);
  expect(report).not.toHaveProperty('late_feeds');
  expect(report).not.toHaveProperty('doubtful_rules');
  expect(reportLines(report).join('\n')).not.toContain('未按时报送');
});
