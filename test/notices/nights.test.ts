import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { openRun, type Purpose } from '../../src/jobs/run.ts';
import { type Row, title, useCounty } from '../support/drop.ts';
import { at, deskOf, hook, tell } from './desk.ts';
import { httpReceiver } from './receivers.ts';

const county = useCounty();
const [FIRST, SECOND, THIRD] = ['2026-11-18', '2026-11-19', '2026-11-20'];
const FEED = 'housing_ownership';
const MORNING = at('2026-11-19T07:00:00');

const titles = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => title(`T${index}`, '王强'));

async function run(date: string, status: 'done' | 'failed', purpose: Purpose = 'nightly'): Promise<void> {
  const open = await openRun(county.warehouse, date, purpose);
  await open.close(status, {});
}

/** What a receiver was told, as subjects of the outbox name it. */
const told = async (): Promise<string[]> =>
  (await county.query<{ title: string }>('SELECT title FROM ops.notice ORDER BY notice_id')).map(
    ({ title }) => title,
  );

test('a night that fails is told once, with what was not done', async () => {
  await writeFile(
    path.join(county.base, 'ZZ99.sql'),
    `/*
rule: ZZ99
title: { zh: 坏, en: Broken }
severity: low
owner: source
evaluates: everything
definition: none
resolved_by: nobody
*/
SELECT no_such_column FROM registry.housing_ownership
`,
  );
  county.rules = await loadRules(county.base);
  await county.deliver(FEED, FIRST, titles(3));
  const receiver = await httpReceiver();
  const desk = await deskOf(county, { webhooks: [hook(receiver.url)] });
  const { run_id } = await county.night(FIRST, [FEED]);
  await tell(desk, MORNING);
  await tell(desk, MORNING);
  expect(receiver.posts.map(({ body }) => JSON.parse(body))).toEqual([
    {
      type: 'night_failed',
      timestamp: MORNING.toISOString(),
      data: {
        title: `夜间运行失败：${FIRST}`,
        text: expect.stringContaining('未完成的步骤：detect ZZ99'),
        run: run_id,
        date: FIRST,
        attempt: 1,
        attempts: 3,
        steps: ['detect ZZ99'],
        deliveries: [],
      },
    },
  ]);
  await county.night(FIRST, [FEED]);
  await tell(desk, MORNING);
  expect(receiver.posts).toHaveLength(2);
  expect(receiver.posts[1]?.body).toContain('第 2 次');
});

test('held deliveries are told with the rules that hold them, and again when they are held again', async () => {
  await county.send(FEED, FIRST, titles(20));
  const held = await county.send(FEED, SECOND, titles(5));
  const receiver = await httpReceiver();
  const desk = await deskOf(county, { webhooks: [hook(receiver.url)] });
  await tell(desk, MORNING);
  expect(receiver.posts.map(({ body }) => JSON.parse(body))).toMatchObject([
    {
      type: 'deliveries_held',
      data: {
        title: `1 个批次待人工处理：${SECOND}`,
        deliveries: [{ delivery: held.delivery_id, feed: FEED, department: 'housing', rules: ['FD02'] }],
      },
    },
  ]);
  await county.ingest(FEED, SECOND);
  await tell(desk, MORNING);
  expect(receiver.posts).toHaveLength(1);
  await county.decide(held, 'replay');
  await tell(desk, MORNING);
  expect(receiver.posts).toHaveLength(2);
  await county.decide(held, 'refuse');
  await tell(desk, MORNING);
  expect(receiver.posts).toHaveLength(2);
});

test('feeds of which nothing was ready are told once for each date, however often the night is run', async () => {
  await county.deliver(FEED, FIRST, titles(3));
  await county.night(FIRST, [FEED, 'housing_lease']);
  const receiver = await httpReceiver();
  const desk = await deskOf(county, { webhooks: [hook(receiver.url)] });
  await tell(desk, MORNING);
  await county.night(FIRST, [FEED, 'housing_lease', 'death_registration']);
  await tell(desk, MORNING);
  expect(
    receiver.posts.map(({ body }) =>
      JSON.parse(body).data.feeds.map(({ feed, cut_off }: { feed: string; cut_off: string }) => [
        feed,
        cut_off,
      ]),
    ),
  ).toEqual([[['housing_lease', '22:00']], [['death_registration', '22:00']]]);
});

test('a night is late when it is not finished at the hour that is configured, and not before', async () => {
  const desk = await deskOf(county, { late_by: '06:00' });
  await tell(desk, at(`${SECOND}T06:00:00`));
  expect(await told(), 'the first night is still to come').toEqual([]);
  await run(FIRST, 'done');
  await run(SECOND, 'failed');
  await run(SECOND, 'done', 'decision');
  await county.query('DELETE FROM ops.notice');
  await tell(desk, at(`${THIRD}T05:59:00`));
  expect(await told()).toEqual([`夜间运行失败：${SECOND}`]);
  await tell(desk, at(`${THIRD}T06:00:00`));
  await tell(desk, at(`${THIRD}T09:00:00`));
  expect(await told()).toEqual([`夜间运行失败：${SECOND}`, `夜间运行未按时完成：${SECOND}`]);
  await run(SECOND, 'done');
  await run(THIRD, 'done');
  await tell(desk, at('2026-11-21T06:00:00'));
  expect(await told()).toHaveLength(2);
});

test('what ended days ago is no news', async () => {
  await run(FIRST, 'failed');
  await county.query(`UPDATE ops.run SET finished_at = '2026-11-15 08:00:00+08'`);
  await tell(await deskOf(county, {}), MORNING);
  expect(await told()).toEqual([]);
});
