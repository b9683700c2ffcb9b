import { createHmac, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { raiseBulkLookUps, raiseNotice } from '../../src/jobs/notices/outbox.ts';
import { stuckNotices } from '../../src/jobs/notices/overview.ts';
import type { NoticeSettings } from '../../src/schema/configuration/notices.ts';
import { useCounty } from '../support/drop.ts';
import { at, deskOf, hook, SECRET, tell } from './desk.ts';
import { closedPort, httpReceiver, mailReceiver } from './receivers.ts';

const county = useCounty();
const MORNING = at('2026-11-19T07:00:00');
const minutesLater = (minutes: number): Date => new Date(MORNING.getTime() + minutes * 60_000);

const raise = (subject: string, now = MORNING): Promise<boolean> =>
  raiseNotice(
    county.warehouse.db,
    { kind: 'night_late', subject, title: `迟 ${subject}`, body: '一\n二', payload: { subject } },
    now,
  );

const mailTo = (...to: string[]): NonNullable<NoticeSettings['smtp']> => ({
  url_env: 'MAIL_URL',
  from: '人口信息共享 <popshare@county.example>',
  to: { night_late: to },
});

/** As docs/operations.md tells receivers. */
function isGenuine(headers: Record<string, string>, body: string, secret: string, now: Date): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = headers;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const expected = `v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`;
  const fresh = Math.abs(now.getTime() / 1000 - Number(time)) < 300;
  return (
    fresh &&
    signature?.length === expected.length &&
    timingSafeEqual(Buffer.from(signature), Buffer.from(expected))
  );
}

test('a webhook is signed as Standard Webhooks says, over its time and its body', async () => {
  const receiver = await httpReceiver();
  const now = new Date();
  await raise('a', now);
  await tell(await deskOf(county, { webhooks: [hook(receiver.url)] }), now);
  const [post] = receiver.posts;
  if (post === undefined) throw new Error('nothing was posted');
  const headers = Object.fromEntries(
    Object.entries(post.headers).map(([name, value]) => [name, String(value)]),
  );
  expect(new Webhook(SECRET).verify(post.body, headers)).toEqual({
    type: 'night_late',
    timestamp: now.toISOString(),
    data: { title: '迟 a', text: '一\n二', subject: 'a' },
  });
  expect(isGenuine(headers, post.body, SECRET, now)).toBe(true);
  expect(isGenuine(headers, post.body.replace('迟', '早'), SECRET, now)).toBe(false);
  expect(isGenuine({ ...headers, 'webhook-id': 'b' }, post.body, SECRET, now)).toBe(false);
  expect(isGenuine(headers, post.body, SECRET, new Date(now.getTime() + 301_000)), 'replayed').toBe(false);
  const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
  expect(isGenuine(headers, post.body, other, now)).toBe(false);
});

test.each([301, 404, 503])(
  'after HTTP %i it is tried again, later each time, until it is through',
  async (status) => {
    const receiver = await httpReceiver();
    receiver.answers.push(status, status, status);
    const desk = await deskOf(county, { webhooks: [hook(receiver.url)] });
    await raise('a');
    const posts: number[] = [];
    for (const minute of [0, 0.9, 1, 2.9, 3, 6.9, 7, 60]) {
      await tell(desk, minutesLater(minute));
      posts.push(receiver.posts.length);
    }
    expect(posts).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expect(new Set(receiver.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.posts.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(4);
    expect(await county.query('SELECT attempts, sent_at, last_error FROM ops.notice_dispatch')).toEqual([
      { attempts: 4, sent_at: minutesLater(7), last_error: null },
    ]);
  },
);

test('mails go to each address of the kind, one by one', async () => {
  const receiver = await mailReceiver();
  const smtp = mailTo('duty@county.example', 'chief@county.example');
  await raise('a');
  await tell(await deskOf(county, { smtp }, { MAIL_URL: receiver.url }), MORNING);
  expect(receiver.mails.map(({ to }) => to).sort()).toEqual([
    ['chief@county.example'],
    ['duty@county.example'],
  ]);
  expect(receiver.mails.map(({ text }) => text.trim().replaceAll('\r', ''))).toEqual(['一\n二', '一\n二']);
  expect(receiver.mails[0]?.source).toMatch(/^Message-ID: <[0-9a-f-]{36}@popshare\.invalid>/im);
});

test('an address that is refused is tried again and keeps the others waiting for a minute at most', async () => {
  const receiver = await mailReceiver();
  receiver.unknown.add('gone@county.example');
  const smtp = mailTo('a@county.example', 'gone@county.example', 'z@county.example');
  const desk = await deskOf(county, { smtp }, { MAIL_URL: receiver.url });
  await raise('a');
  for (const minute of [0, 1, 3]) await tell(desk, minutesLater(minute));
  expect(receiver.mails.map(({ to }) => to)).toEqual([['a@county.example'], ['z@county.example']]);
  expect(await stuckNotices(county.warehouse)).toMatchObject([
    { subject: 'a', endpoint: 'smtp', attempts: 3, last_error: 'EENVELOPE, SMTP 550' },
  ]);
});

test('what fails one way goes the others, and tells neither secrets nor addresses', async () => {
  const receiver = await httpReceiver();
  const port = await closedPort();
  const closed = `http://127.0.0.1:${port}/hidden-path`;
  const variables = { HOOK_SECRET: SECRET, MAIL_URL: `smtp://popshare:hidden-word@127.0.0.1:${port}` };
  const webhooks = [
    hook(closed, 'broken'),
    hook(receiver.url),
    { ...hook(receiver.url, 'bare'), secret_env: 'NONE' },
  ];
  const desk = await deskOf(county, { webhooks, smtp: mailTo('duty@county.example') }, variables);
  await raise('a');
  await tell(desk, MORNING);
  expect(receiver.posts).toHaveLength(1);
  const rows = await county.query('SELECT endpoint, last_error FROM ops.notice_dispatch ORDER BY endpoint');
  expect(rows).toEqual([
    { endpoint: 'smtp', last_error: expect.stringMatching(/^E[A-Z]+(, E[A-Z]+)*$/) },
    { endpoint: 'webhook bare', last_error: 'the environment variable NONE is not set' },
    { endpoint: 'webhook broken', last_error: 'ECONNREFUSED' },
    { endpoint: 'webhook duty', last_error: null },
  ]);
  const everything = JSON.stringify(
    await county.query('SELECT n, d FROM ops.notice n JOIN ops.notice_dispatch d USING (notice_id)'),
  );
  for (const secret of ['hidden', SECRET.slice(6)]) expect(everything).not.toContain(secret);
});

test('several schedulers at once send each notice once', async () => {
  const receiver = await httpReceiver();
  const desk = await deskOf(county, { webhooks: [hook(receiver.url)] });
  const subjects = Array.from({ length: 40 }, (_, index) => `n${index}`);
  await Promise.all(subjects.map((subject) => raise(subject)));
  await Promise.all([1, 2, 3].map(() => tell(desk, MORNING)));
  await tell(desk, MORNING);
  const received = receiver.posts.map(({ body }) => String(JSON.parse(body).data.subject));
  expect(received.sort()).toEqual(subjects.sort());
});

test('one subject is told once, and what is rolled back is not told', async () => {
  const receiver = await httpReceiver();
  const desk = await deskOf(county, { webhooks: [hook(receiver.url)] });
  await expect(
    county.warehouse.db.transaction().execute(async (tx) => {
      await raiseBulkLookUps(tx, { account: 'li', looks: 300, minutes: 60 }, MORNING);
      throw new Error('rolled back');
    }),
  ).rejects.toThrow('rolled back');
  await tell(desk, MORNING);
  expect(receiver.posts).toEqual([]);
  const looked = (minutes: number): Promise<boolean> =>
    raiseBulkLookUps(county.warehouse.db, { account: 'li', looks: 300, minutes: 60 }, minutesLater(minutes));
  expect([await looked(0), await looked(59), await looked(60)]).toEqual([true, false, true]);
  await tell(desk, minutesLater(60));
  expect(receiver.posts.map(({ body }) => JSON.parse(body).data)).toMatchObject([
    { account: 'li', looks: 300, minutes: 60 },
    { account: 'li' },
  ]);
});

test('a kind that nobody asked for goes nowhere', async () => {
  const receiver = await httpReceiver();
  await raise('a');
  await tell(
    await deskOf(county, { webhooks: [{ ...hook(receiver.url), events: ['night_failed'] }] }),
    MORNING,
  );
  expect(receiver.posts).toEqual([]);
  expect(await stuckNotices(county.warehouse)).toEqual([]);
});
