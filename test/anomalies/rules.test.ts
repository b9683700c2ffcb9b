import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { actInBulk, undoBulk } from '../../src/anomalies/queue/bulk.ts';
import { doubtfulRules, ruleWorth } from '../../src/anomalies/queue/worth.ts';
import { tryRule } from '../../src/anomalies/try-rule.ts';
import { reportLines } from '../../src/cli/report.ts';
import { inCounty } from '../cli/popshare.ts';
import { residentNumber } from '../rules/situation.ts';
import { CHEN, rule, TODAY, useQueue } from './queue.ts';

const queue = useQueue();
const { county, night, finds, act, idOf, one, request } = queue;
const popshare = inCounty(county);
const subjects = (count: number) => Array.from({ length: count }, (_, index) => ({ subject: String(index) }));

describe('a rule’s worth', () => {
  test('is what came of its cases, and how long that took', async () => {
    await night(TODAY, subjects(10));
    await act(await idOf('0'), 'resolve', { today: '2026-11-20' });
    await act(await idOf('1'), 'resolve', { today: '2026-11-20', reason: 'handled_elsewhere' });
    await act(await idOf('2'), 'dismiss', { today: '2026-11-20' });
    await act(await idOf('3'), 'return');
    const bulk = { ...request('dismiss'), filter: { status: ['new' as const] }, limit: 2, groupAbove: 100 };
    const { bulk_id } = await actInBulk(county.warehouse, bulk);
    await undoBulk(county.warehouse, bulk_id, { actor: CHEN, today: TODAY });
    await night('2026-11-28', subjects(10).slice(5));
    expect(await ruleWorth(county.warehouse, '2026-11-01', '2026-11-30')).toEqual([
      {
        ...{
          rule: 'DQ01',
          opened: 10,
          confirmed: 2,
          dismissed: 1,
          self_healed: 1,
          resolved_otherwise: 1,
          open: 5,
        },
        median_age_days: 2,
      },
    ]);
    expect(await ruleWorth(county.warehouse, '2026-11-27', '2026-11-30')).toMatchObject([
      { opened: 0, dismissed: 0, self_healed: 1 },
    ]);
  });

  test('is doubtful when officers dismiss much of it', async () => {
    await night(TODAY, subjects(10));
    const settings = { ...county.configuration.settings.queue, dismissed_at_least: 4, dismissed_percent: 60 };
    const doubtful = () => doubtfulRules(county.warehouse, settings, '2026-11-01', '2026-11-30');
    for (const subject of ['0', '1', '2']) await act(await idOf(subject), 'dismiss');
    expect(await doubtful()).toEqual([]);
    await act(await idOf('3'), 'resolve');
    expect(await doubtful()).toEqual([{ rule: 'DQ01', closed: 4, dismissed: 3, dismissed_percent: 75 }]);
    await act(await idOf('4'), 'resolve');
    await act(await idOf('5'), 'resolve');
    expect(await doubtful()).toEqual([]);
  });
});

test('a rule that officers dismissed much of is shown with the rules, in the status and in the night’s report', async () => {
  await night(TODAY, subjects(30));
  const filter = { rule: ['DQ01'] };
  await actInBulk(county.warehouse, { ...request('dismiss'), filter, limit: 25, groupAbove: 100 });
  await county.query(
    `UPDATE anomalies.anomaly_event SET on_date = (now() AT TIME ZONE 'Asia/Shanghai')::date`,
  );
  const told = 'DQ01: officers dismissed 25 of 25 (100 %): look at the rule 请复核该规则';
  const doubt = { rule: 'DQ01', closed: 25, dismissed: 25, dismissed_percent: 100 };
  expect((await popshare(['rules', 'list'])).stdout).toContain(told);
  expect(JSON.parse((await popshare(['rules', 'list', '--json'])).stdout)).toMatchObject({
    doubtful: [doubt],
  });
  expect(JSON.parse((await popshare(['status', '--json'])).stdout)).toMatchObject({
    doubtful_rules: [doubt],
  });
  const report = await county.night('2026-11-19', ['housing_ownership']);
  expect(report).toMatchObject({ doubtful_rules: [doubt] });
  expect(reportLines(report)).toContain(told);
}, 60_000);

describe('trying a rule', () => {
  test('says what it would do to the cases that stand, and does nothing', async () => {
    await night(TODAY, [...subjects(6), { subject: 'gone' }]);
    await act(await idOf('0'), 'dismiss');
    await act(await idOf('1'), 'dismiss');
    const number = residentNumber();
    await finds('DQ01', [
      ...subjects(6).map((finding, index) =>
        index === 1 || index === 2 ? { ...finding, evidence: { newer: true } } : finding,
      ),
      { subject: '00 fresh' },
      { subject: '01 unmasked', evidence: { number, phone: '13998609106', name: '王*' } },
    ]);
    const before = await county.query('SELECT * FROM anomalies.anomaly ORDER BY 1');
    const trial = await tryRule(county.warehouse, rule('DQ01'), TODAY);
    expect(trial).toMatchObject({
      found: 8,
      difference: { opened: 2, reopened: 1, changed: 1, same: 3, closed: 1, settled: 1 },
    });
    expect(trial.plan_cost).toBeGreaterThan(0);
    expect(trial.examples).toHaveLength(5);
    expect(JSON.stringify(trial.examples)).toContain('王*');
    for (const personal of [number, '13998609106'])
      expect(JSON.stringify(trial.examples)).not.toContain(personal);
    expect(await county.query('SELECT * FROM anomalies.anomaly ORDER BY 1')).toEqual(before);
    expect((await night(TODAY, [])).open).toBe(0);
  });

  const REST = `NULL AS feed, NULL AS source_key, NULL AS role, NULL::bigint AS person_id, NULL AS division, '{}'::jsonb AS evidence`;
  test.each([
    ['that is no SQL', 'SELECT nonsense\nFROM nowhere', /sql:11: relation "nowhere" does not exist/],
    [
      'that writes',
      `WITH gone AS (DELETE FROM ops.delivery RETURNING feed) SELECT feed AS subject, ${REST} FROM gone`,
      /it may only read/,
    ],
    [
      'that takes a number',
      `SELECT nextval('anomalies.anomaly_anomaly_id_seq')::text AS subject, ${REST}`,
      /it may only read/,
    ],
    ['that lacks a column', `SELECT 'A' AS subject`, /it returns no column feed; expected subject, feed, /],
    [
      'that finds a subject twice',
      `SELECT 'A' AS subject, ${REST} FROM generate_series(1, 2)`,
      /it returns a subject more than once/,
    ],
    ['that finds no subject', `SELECT NULL AS subject, ${REST}`, /its column subject is empty in some row/],
    [
      'that reads a value as what it is not',
      `SELECT (subject::integer)::text AS subject, ${REST} FROM (VALUES ('王强')) v (subject)`,
      /a value is not what it is read as: invalid input syntax for type integer/,
    ],
    ['that does not end', `SELECT 'A' AS subject, ${REST} FROM pg_sleep(600)`, /it ran longer than 1 s/],
  ])('a file %s fails, with its name, and leaves everything as it was', async (_what, select, message) => {
    await night(TODAY, subjects(1));
    const broken = { ...rule('DQ01'), select, bind: () => [] };
    await expect(tryRule(county.warehouse, broken, TODAY, 1)).rejects.toMatchObject({
      code: 'RULE_FAILED',
      message: expect.stringMatching(message),
    });
    expect(await county.query('SELECT status FROM anomalies.anomaly')).toEqual([{ status: 'new' }]);
    expect((await night(TODAY, subjects(1))).open).toBe(1);
  });
});

test('cases follow their persons when these are merged, though no record changed', async () => {
  await night(TODAY, [
    { subject: 'A', person_id: 900001 },
    { subject: 'B', person_id: 900001 },
  ]);
  await county.query(`INSERT INTO identity.person (person_id, created_run, merged_into) OVERRIDING SYSTEM VALUE
    VALUES (900001, 1, 900002), (900002, 1, NULL)`);
  await county.query(`INSERT INTO identity.person_event (kind, person_id, other_person_id, run_id)
    SELECT 'merged', 900002, 900001, run_id + 1 FROM ops.fence`);
  await night('2026-11-19', [{ subject: 'C' }], rule('DQ02'));
  expect(await one(await idOf('A'))).toMatchObject({ person_id: 900002 });
  expect(await one(await idOf('B'))).toMatchObject({ person_id: 900002 });
});

describe('on the command line', () => {
  test('an officer works through the queue', async () => {
    await night(TODAY, [
      { subject: 'A', feed: 'household_register', division: '620802001001' },
      { subject: 'B', feed: 'household_register', division: '620802002001' },
    ]);
    const id = String(await idOf('A'));
    const list = await popshare(['cases', 'list', '--division', '620802001000', '--json']);
    expect(list.stderr).toBe('');
    expect(JSON.parse(list.stdout)).toMatchObject({
      counts: { total: 1 },
      cases: [{ anomaly_id: Number(id) }],
      next: null,
    });
    const said = ['--reason', 'by_division', '--to', 'li', '--as', 'chen', '--json'];
    expect(JSON.parse((await popshare(['cases', 'assign', id, ...said])).stdout)).toMatchObject({
      version: 2,
    });
    const late = await popshare(['cases', 'assign', id, '--seen', '1', ...said]);
    expect(late).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^CASE_CHANGED: .*assigned on .* by chen/),
    });
    const show = JSON.parse((await popshare(['cases', 'show', id, '--json'])).stdout);
    expect(show).toMatchObject({
      case: { status: 'assigned', owner: 'li' },
      events: [{ kind: 'opened' }, { actor: 'chen' }],
    });
    const bulk = [
      'cases',
      'bulk',
      'dismiss',
      '--rule',
      'DQ01',
      '--reason',
      'not_a_fault',
      '--comment',
      '测试',
      '--json',
    ];
    expect(JSON.parse((await popshare([...bulk, '--dry-run'])).stdout)).toMatchObject({ matching: 2 });
    const { bulk_id } = JSON.parse((await popshare(bulk)).stdout);
    expect(JSON.parse((await popshare(['cases', 'undo', String(bulk_id), '--json'])).stdout)).toEqual({
      undone: 2,
      kept: 0,
    });
    const until = ['--until', '2099-12-31', '--reason', 'known_exception', '--comment', '测试', '--json'];
    const suppressed = await popshare(['cases', 'suppress', 'DQ01', '--subject', 'B', ...until]);
    expect(JSON.parse(suppressed.stdout)).toMatchObject({ cases: 1 });
    expect((await popshare(['cases', 'list'])).stdout).toMatch(/^1 cases/);
  }, 180_000);

  test('an operator looks at the rules, and tries one', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'popshare-rule-'));
    try {
      const file = path.join(folder, 'DQ01-try.sql');
      await writeFile(
        file,
        `/*\nrule: DQ01\ntitle: { zh: 试, en: Try }\nseverity: low\nowner: source\nevaluates: everything\ndefinition: 试\nresolved_by: 试\n*/\nSELECT feed AS subject, feed, source_key, role, person_id, division, '{}'::jsonb AS evidence FROM rule_mention WHERE id_kind = 'absent'\n`,
      );
      const tried = await popshare(['rules', 'try', file, '--date', TODAY, '--json']);
      expect(JSON.parse(tried.stdout)).toMatchObject({ rule: 'DQ01', as_of: TODAY, found: 0 });
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(JSON.parse((await popshare(['rules', 'list', '--json'])).stdout).rules.length).toBeGreaterThan(20);
    expect(JSON.parse((await popshare(['rules', 'show', 'DQ01', '--json'])).stdout)).toMatchObject({
      severity: 'high',
    });
    expect(JSON.parse((await popshare(['rules', 'worth', '--json'])).stdout)).toEqual({
      rules: [],
      doubtful: [],
    });
  }, 180_000);

  test.each([
    ['CASE_INPUT', ['cases', 'list', '--division', '62080']],
    ['CASE_INPUT', ['cases', 'list', '--status', 'lost']],
    ['CASE_UNKNOWN', ['cases', 'show', '4711']],
    ['CASE_UNKNOWN', ['cases', 'dismiss', '4711', '--reason', 'because']],
    [
      'USAGE',
      [
        'cases',
        'suppress',
        'DQ01',
        '--until',
        '2099-12-31',
        '--reason',
        'known_exception',
        '--comment',
        '测试',
      ],
    ],
    ['RULE_UNKNOWN', ['rules', 'show', 'XX99']],
    ['USAGE', ['rules', 'try', 'nowhere.sql']],
  ])('%s: %j', async (code, args) => {
    const ended = await popshare(args);
    expect(ended).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(`^${code}: |\n${code}: `),
    });
  });
});
