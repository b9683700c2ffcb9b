import { beforeEach, describe, expect, test } from 'vitest';
import { actInBulk, type BulkRequest, previewBulk, undoBulk } from '../../src/anomalies/queue/bulk.ts';
import type { CaseFilter } from '../../src/anomalies/queue/filter.ts';
import { listGroups } from '../../src/anomalies/queue/groups.ts';
import type { Action } from '../../src/anomalies/queue/transitions.ts';
import { CHEN, LI, TODAY, useQueue } from './queue.ts';

const queue = useQueue();
const { county, night, act, one, idOf, story, page } = queue;
const found = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    subject: String(index),
    feed: 'household_register',
    division: `62080200${1 + (index % 2)}001`,
  }));

beforeEach(() => night(TODAY, found(10)));

function bulk(action: Action, filter: CaseFilter, more: Partial<BulkRequest> = {}): BulkRequest {
  return { ...queue.request(action), filter, limit: 100, groupAbove: 3, ...more };
}

describe('a bulk action', () => {
  test('changes what its filter lets through, with an event for each, and the counts with it', async () => {
    const filter = { division: '620802001000' };
    const preview = await previewBulk(county.warehouse, bulk('dismiss', filter));
    expect(preview).toMatchObject({ matching: 5, examples: { length: 5 } });
    expect((await page()).counts.total).toBe(10);
    const { bulk_id, cases } = await actInBulk(county.warehouse, bulk('dismiss', filter));
    expect(cases).toBe(5);
    expect((await page()).counts.by_status).toEqual({ new: 5 });
    expect((await page({ ...filter, status: ['dismissed'] })).counts.total).toBe(5);
    const told = await county.query(
      'SELECT DISTINCT actor, reason, comment FROM anomalies.anomaly_event WHERE bulk_id = $1',
      [bulk_id],
    );
    expect(told).toEqual([{ actor: 'chen', reason: 'not_a_fault', comment: '测试' }]);
  });

  test('stops at its limit, and leaves alone what does not allow it', async () => {
    await act(await idOf('0'), 'return');
    expect(await actInBulk(county.warehouse, bulk('return', { rule: ['DQ01'] }, { limit: 4 }))).toMatchObject(
      { cases: 4 },
    );
    expect(await previewBulk(county.warehouse, bulk('return', { rule: ['DQ01'] }))).toMatchObject({
      matching: 5,
    });
    expect(await story(await idOf('0'))).toEqual(['opened', 'returned']);
  });

  test('needs a filter, a reason, and a supervisor', async () => {
    for (const request of [
      bulk('dismiss', {}),
      bulk('dismiss', { rule: ['DQ01'] }, { reason: '' }),
      bulk('dismiss', { rule: ['DQ01'] }, { actor: LI }),
    ])
      await expect(actInBulk(county.warehouse, request)).rejects.toMatchObject({ code: 'CASE_INPUT' });
  });

  test('is undone for the cases that nobody has touched since, once', async () => {
    await act(await idOf('1'), 'assign');
    const { bulk_id } = await actInBulk(county.warehouse, bulk('resolve', { rule: ['DQ01'] }));
    await act(await idOf('2'), 'reopen');
    await night('2026-11-19', [
      ...found(10).slice(0, 3),
      { ...found(4)[3], subject: '3', evidence: { newer: true } },
    ]);
    const back = { actor: CHEN, today: '2026-11-20' };
    expect(await undoBulk(county.warehouse, bulk_id, back)).toEqual({ undone: 8, kept: 2 });
    expect(await one(await idOf('1'))).toMatchObject({ status: 'assigned', owner: 'li' });
    expect(await story(await idOf('1'))).toEqual(['opened', 'assigned', 'resolved', 'undone']);
    expect(await story(await idOf('2'))).toEqual(['opened', 'resolved', 'reopened']);
    expect((await page()).counts.by_status).toEqual({ assigned: 1, new: 9 });
    expect(await queue.audited(`bulk ${bulk_id}`)).toEqual([
      {
        ...{ actor: 'chen', action: 'case', purpose: 'corrected_at_source' },
        detail: {
          filter: { rule: ['DQ01'] },
          before: ['new', 'assigned', 'returned'],
          after: 'resolved',
          cases: 10,
        },
      },
      { actor: 'chen', action: 'case', purpose: 'undo', detail: { undone: 8, kept: 2 } },
    ]);
    await expect(undoBulk(county.warehouse, bulk_id, back)).rejects.toMatchObject({ code: 'BULK_STATE' });
    await expect(undoBulk(county.warehouse, 4711, back)).rejects.toMatchObject({ code: 'BULK_UNKNOWN' });
  });
});

test('what one delivery brought is one group, and can be dealt with as one', async () => {
  await county.query(`
    WITH run AS (INSERT INTO ops.run (business_date, purpose, status) VALUES ('2026-11-19', 'nightly', 'done') RETURNING run_id),
    sent AS (
      INSERT INTO ops.delivery (feed, department, business_date, sequence, run_id, status, received, accepted, rejected, new, changed, unchanged)
      SELECT 'household_register', 'public-security', '2026-11-19', 2, run_id, 'applied', 0, 0, 0, 0, 0, 0 FROM run RETURNING delivery_id)
    INSERT INTO ops.feed_state SELECT 'household_register', delivery_id, '2026-11-19', '', 0 FROM sent`);
  await night('2026-11-19', found(15));
  const groups = await listGroups(county.warehouse, 3);
  expect(groups).toEqual([
    {
      group: 'DQ01:household_register:20261119.2',
      ...{
        rule: 'DQ01',
        feed: 'household_register',
        delivered_on: '2026-11-19',
        department: 'public-security',
      },
      ...{ severity: 'high', cases: 5, due_on: '2026-11-26' },
    },
  ]);
  expect(await listGroups(county.warehouse, 5)).toEqual([]);
  const group = groups[0]?.group ?? '';
  expect((await page({ group })).counts.total).toBe(5);
  expect((await page({ outside_groups: true })).counts.total).toBe(10);
  expect(await actInBulk(county.warehouse, bulk('dismiss', { group }))).toMatchObject({ cases: 5 });
  expect((await page()).counts.total).toBe(10);
});
