import { beforeEach, expect, test } from 'vitest';
import { useCounty } from '../support/drop.ts';
import { at, deskOf, tell } from './desk.ts';
import { mailReceiver } from './receivers.ts';

const county = useCounty();
const DAY = '2026-11-19';
const [HERE, THERE] = ['620802001001', '620802101201'];

const LI = { account: 'li', email: 'li@county.example', division: '620802001' };
const WANG = { account: 'wang', email: 'wang@county.example', department: 'civil-affairs' };
const ZHAO = { account: 'zhao', email: 'zhao@county.example', division: '620802999' };

async function deskWith(officers: readonly (typeof LI | typeof WANG)[], url: string) {
  for (const officer of officers) await addAccount(officer);
  const smtp = { url_env: 'MAIL_URL', from: 'popshare@county.example', to: {} };
  return deskOf(
    county,
    { site: 'https://popshare.county.example/', smtp, digest: { at: '08:00' } },
    { MAIL_URL: url },
  );
}

const addAccount = (given: {
  account: string;
  email?: string;
  division?: string;
  department?: string;
  role?: string;
}) =>
  county.query(
    `INSERT INTO access.account (name, display_name, role, division, department, email) VALUES ($1, $1, $2, $3, $4, $5)`,
    [
      given.account,
      given.role ?? 'officer',
      given.division ?? null,
      given.department ?? null,
      given.email ?? null,
    ],
  );

let cases = 0;
const openCase = (given: {
  rule: string;
  division?: string;
  department?: string;
  due: string;
  owner?: string;
  status?: string;
}) =>
  county.query(
    `INSERT INTO anomalies.anomaly (rule, subject, family, severity, status, department, division, first_seen,
       last_seen, opened_on, due_on, owner, evidence)
     VALUES ($1, $2, left($1, 2), 'high', $3, $4, $5, '2026-11-01', '2026-11-01', '2026-11-01', $6, $7,
             '{"name": "王**"}')`,
    [
      given.rule,
      `s${cases++}`,
      given.status ?? (given.owner === undefined ? 'new' : 'assigned'),
      given.department ?? 'public-security',
      given.division ?? HERE,
      given.due,
      given.owner ?? null,
    ],
  );

beforeEach(async () => {
  await county.query('DELETE FROM access.account');
  await openCase({ rule: 'DQ01', due: '2026-11-18' });
  await openCase({ rule: 'DQ01', due: DAY, owner: 'li' });
  await openCase({ rule: 'DQ06', due: '2026-11-20', department: 'civil-affairs' });
  await openCase({ rule: 'ID05', due: '2026-11-17', division: THERE, owner: 'li' });
  await openCase({ rule: 'ID05', due: '2026-11-17', division: THERE, department: 'civil-affairs' });
  await openCase({ rule: 'ID05', due: '2026-11-17', status: 'resolved' });
});

test('each officer gets counts of their own cases and of those of their scope, by rule and township', async () => {
  const receiver = await mailReceiver();
  const desk = await deskWith([LI, WANG], receiver.url);
  await tell(desk, at(`${DAY}T08:00:00`));
  expect(await county.query(`SELECT payload FROM ops.notice ORDER BY subject`)).toMatchObject([
    {
      payload: {
        account: 'li',
        own: { open: 2, overdue: 1, due_today: 1 },
        scope: { open: 3, overdue: 1, due_today: 1 },
        rules: [
          { rule: 'DQ01', title: '证件号码校验错误', open: 2, overdue: 1, due_today: 1 },
          {
            rule: 'ID05',
            open: 1,
            overdue: 1,
            due_today: 0,
            link: 'https://popshare.county.example/cases?rule=ID05',
          },
          { rule: 'DQ06', open: 1, overdue: 0, due_today: 0 },
        ],
        divisions: [
          { division: '620802001000', open: 3 },
          { division: '620802101000', open: 1 },
        ],
      },
    },
    { payload: { account: 'wang', own: { open: 0 }, scope: { open: 2, overdue: 1, due_today: 0 } } },
  ]);
  expect(receiver.mails.map(({ to }) => to).sort()).toEqual([[LI.email], [WANG.email]]);
  const mail = receiver.mails.find(({ to }) => to.includes(LI.email))?.text ?? '';
  expect(mail).toContain(
    '我的疑点：待办 2，逾期 1，今日到期 1  https://popshare.county.example/cases?owner=li',
  );
  expect(mail).not.toContain('王');
});

test('feeds that are late are named to whoever has to do with them', async () => {
  await county.query(`
    INSERT INTO ops.run (business_date, purpose, status, finished_at) VALUES ('2026-11-18', 'nightly', 'done', '2026-11-18 22:30+08')`);
  await county.query(`
    INSERT INTO ops.delivery (feed, department, business_date, sequence, run_id, status, arrived_at)
    SELECT feed, department, '2026-11-18', 1, (SELECT max(run_id) FROM ops.run), status, arrived_at::timestamptz
    FROM (VALUES ('housing_ownership', 'housing', 'missing', NULL),
                 ('death_registration', 'civil-affairs', 'applied', '2026-11-19 07:12+08'),
                 ('household_register', 'public-security', 'applied', '2026-11-18 21:00+08')) AS d (feed, department, status, arrived_at)`);
  const receiver = await mailReceiver();
  await tell(await deskWith([LI, WANG], receiver.url), at(`${DAY}T08:00:00`));
  const lines = (to: string) =>
    receiver.mails
      .find((mail) => mail.to.includes(to))
      ?.text.split('\n')
      .filter((line) => line.startsWith('未按时报送'));
  const death = '未按时报送：殡葬火化登记（民政）：业务日期 2026-11-18，截止 22:00，2026-11-19 07:12 到达';
  expect(lines(WANG.email)).toEqual([death]);
  expect(lines(LI.email)).toEqual([
    death,
    '未按时报送：不动产权登记（房产）：业务日期 2026-11-18，截止 22:00，仍未到',
  ]);
});

test('once a day, not before its hour, and on working days alone', async () => {
  const receiver = await mailReceiver();
  const desk = await deskWith([LI], receiver.url);
  const mails: number[] = [];
  for (const moment of [
    `${DAY}T07:59:00`,
    `${DAY}T08:00:00`,
    `${DAY}T08:01:00`,
    '2026-11-20T08:00:00',
    '2026-11-21T08:00:00',
  ]) {
    await tell(desk, at(moment));
    mails.push(receiver.mails.length);
  }
  expect(mails).toEqual([0, 1, 1, 2, 2]);
});

test('an officer without an open case gets none', async () => {
  const receiver = await mailReceiver();
  const desk = await deskWith([ZHAO], receiver.url);
  await tell(desk, at(`${DAY}T08:00:00`));
  await tell(desk, at(`${DAY}T08:01:00`));
  expect(receiver.mails).toEqual([]);
});

test('whoever does not work on cases, is disabled or has no address gets none', async () => {
  const receiver = await mailReceiver();
  await addAccount({ account: 'auditor', email: 'auditor@county.example', role: 'auditor' });
  await addAccount({ account: 'silent' });
  await addAccount({ account: 'gone', email: 'gone@county.example' });
  await county.query(`UPDATE access.account SET disabled_at = now() WHERE name = 'gone'`);
  await tell(await deskWith([LI], receiver.url), at(`${DAY}T08:00:00`));
  expect(receiver.mails.map(({ to }) => to)).toEqual([[LI.email]]);
});
