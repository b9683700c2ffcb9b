import { access, mkdir, readdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { actOnCase } from '../../src/anomalies/queue/actions.ts';
import { loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { purge, purgeDate } from '../../src/jobs/retention/purge.ts';
import { openRun } from '../../src/jobs/run.ts';
import { auditHead, verifyAudit } from '../../src/schema/warehouse/audit.ts';
import { today } from '../../src/schema/warehouse/today.ts';
import { type Row, title, useCounty } from '../support/drop.ts';
import { purgeAll } from './purging.ts';

const county = useCounty();
const [FIRST, SECOND, THIRD, FOURTH] = ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21'];
const FEED = 'housing_ownership';

const titles = (from: number, to: number, owner = '王强'): Row[] =>
  Array.from({ length: to - from }, (_, index) => title(`T${from + index}`, owner));

/** Landed files that are there, as `<feed>/<date>`. */
async function landed(): Promise<string[]> {
  const entries = await readdir(path.join(county.data, 'landing'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath }) => path.relative(path.join(county.data, 'landing'), parentPath))
    .sort();
}

const countOf = async (table: string): Promise<number> =>
  (await county.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n ?? 0;

beforeEach(() => county.setGates({ rejected_percent: 90 }));

describe('landed files', () => {
  test('go when nothing needs them; the last applied delivery of a feed stays and can be replayed', async () => {
    await county.send(FEED, FIRST, titles(0, 20));
    const last = await county.send(FEED, SECOND, titles(1, 21));
    expect(await purgeAll(county)).toMatchObject({ 'landed files': 1 });
    expect(await landed()).toEqual([`${FEED}/${SECOND}`]);
    expect(
      await county.query('SELECT landed_path, purged_on FROM ops.delivery ORDER BY delivery_id'),
    ).toEqual([
      { landed_path: null, purged_on: '2099-01-01' },
      { landed_path: expect.stringContaining(SECOND), purged_on: null },
    ]);
    expect(await county.decide(last, 'replay')).toMatchObject({ status: 'applied' });
    expect(await purgeAll(county)).toEqual({});
  });

  test('of a delivery that is held, or that an open case came with, stay', async () => {
    county.rules = (await loadRules('config/rules')).filter(({ rule }) => rule === 'DQ14' || rule === 'FD02');
    await county.send(FEED, FIRST, titles(0, 20));
    await county.send(FEED, SECOND, titles(0, 21));
    const held = await county.send(FEED, THIRD, titles(0, 3));
    expect(held.status).toBe('held');
    await purgeAll(county);
    expect(await landed()).toEqual([FIRST, SECOND, THIRD].map((date) => `${FEED}/${date}`));
    await county.decide(held, 'refuse');
    await county.send(FEED, FOURTH, []);
    await county.query(`UPDATE anomalies.anomaly SET status = 'resolved', healed = true`);
    await purgeAll(county);
    expect(await landed()).toEqual([SECOND, FOURTH].map((date) => `${FEED}/${date}`));
  });

  test('that two deliveries name stay until both may go', async () => {
    await county.send(FEED, FIRST, titles(0, 20));
    await county.send(FEED, SECOND, titles(1, 21));
    await county.query(
      `UPDATE ops.delivery o SET landed_path = d.landed_path FROM ops.delivery d
       WHERE o.business_date = $1 AND d.business_date = $2`,
      [SECOND, FIRST],
    );
    expect(await purgeAll(county)).not.toHaveProperty('landed files');
  });

  test('stay for their days after they arrived, and for ever when that is what is configured', async () => {
    for (const date of [FIRST, SECOND]) await county.send(FEED, date, titles(0, date === FIRST ? 20 : 21));
    await county.query(`UPDATE ops.delivery SET arrived_at = '2026-11-19 00:00+08'`);
    expect(await purgeAll(county, { landed_files: 30 }, '2026-12-19')).not.toHaveProperty('landed files');
    expect(await purgeAll(county, { landed_files: 'never' })).not.toHaveProperty('landed files');
    expect(await purgeAll(county, { landed_files: 30 }, '2026-12-20')).toHaveProperty('landed files', 1);
  });

  test('that come again are the delivery that they were, and go again', async () => {
    await county.send(FEED, FIRST, titles(0, 20));
    await county.send(FEED, SECOND, titles(1, 21));
    await purgeAll(county);
    await county.ingest(FEED, FIRST);
    expect(await landed()).toEqual([FIRST, SECOND].map((date) => `${FEED}/${date}`));
    expect(await purgeAll(county)).toHaveProperty('landed files', 1);
  });

  test('and the leavings of interrupted copies: nothing else that lies there', async () => {
    await county.send(FEED, FIRST, titles(0, 20));
    const folder = path.join(county.data, 'landing', FEED, '2026-11-01');
    await mkdir(folder, { recursive: true });
    const names = [`${'a'.repeat(64)}.csv`, '12-3.5.part', 'notes.txt', `${'b'.repeat(64)}.csv`];
    for (const name of names) {
      await writeFile(path.join(folder, name), '');
      if (!name.startsWith('b')) await utimes(path.join(folder, name), 0, 0);
    }
    await purgeAll(county);
    expect((await readdir(folder)).sort()).toEqual([`${'b'.repeat(64)}.csv`, 'notes.txt']);
  });

  test.each([
    ['above the landing folder', '../outside.csv'],
    ['beside it', `postgres/${'a'.repeat(64)}.csv`],
    ['of another name', 'landing/housing_ownership/2026-11-18/a.csv'],
    ['named by a whole path', `/tmp/${'a'.repeat(64)}.csv`],
  ])('a path %s is refused, and nothing is deleted', async (_where, landedPath) => {
    await county.send(FEED, FIRST, titles(0, 20));
    await county.send(FEED, SECOND, titles(1, 21));
    await county.query('UPDATE ops.delivery SET landed_path = $1 WHERE business_date = $2', [
      landedPath,
      FIRST,
    ]);
    await expect(purgeAll(county)).rejects.toMatchObject({ code: 'PATH_OUTSIDE_ROOT' });
    expect(await countOf(`audit.entry WHERE action = 'purge'`)).toBe(0);
  });

  test('a folder that is a link out of the landing folder is refused', async () => {
    await county.send(FEED, FIRST, titles(0, 20));
    await county.send(FEED, SECOND, titles(1, 21));
    const folder = path.join(county.data, 'landing', FEED, FIRST);
    await rename(folder, path.join(county.base, 'elsewhere'));
    await symlink(path.join(county.base, 'elsewhere'), folder);
    await expect(purgeAll(county)).rejects.toMatchObject({ code: 'PATH_OUTSIDE_ROOT' });
    const [file] = await readdir(path.join(county.base, 'elsewhere'));
    await access(path.join(county.base, 'elsewhere', file ?? ''));
  });
});

test('rejected rows go, but for those of the delivery that the registry stands at', async () => {
  for (const [date, spoilt] of [
    [FIRST, 2],
    [SECOND, 3],
  ] as const)
    await county.send(FEED, date, [...titles(0, 20), ...titles(20, 20 + spoilt, '')]);
  expect(await purgeAll(county)).toHaveProperty('rejected rows', 2);
  expect(await countOf('ops.rejected_row')).toBe(3);
});

describe('the history', () => {
  test('goes version by version; answers are whole from the day before which it went', async () => {
    await county.send(FEED, FIRST, [title('A', '王强'), title('B', '李娜')]);
    await county.send(FEED, SECOND, [title('A', '张伟'), title('B', '李娜')]);
    await county.send(FEED, THIRD, [title('A', '赵敏'), title('B', '李娜')]);
    expect(await purgeAll(county, { registry_history: 30 }, '2026-12-20')).toMatchObject({
      [`former versions in ${FEED}`]: 1,
    });
    expect(await county.records(FEED, 'owner_name', SECOND)).toEqual({ A: '张伟', B: '李娜' });
    expect(await county.records(FEED, 'owner_name')).toEqual({ A: '赵敏', B: '李娜' });
  });

  test('keeps the first version of an enrolment that stands: it tells since when', async () => {
    const pupil = (key: string, grade: string): Row => ({
      enrolment_number: key,
      name: '王小明',
      sex: '1',
      birth_date: '20180315',
      school: '城关小学',
      grade,
    });
    const feed = 'school_enrolment';
    for (const [night, date] of [FIRST, SECOND, THIRD].entries()) {
      const stays = Array.from({ length: 10 }, (_, index) => pupil(`S${index}`, String(night + 1)));
      await county.send(feed, date, date === THIRD ? stays : [...stays, pupil('GONE', String(night + 1))]);
    }
    await purgeAll(county);
    expect(await county.query(`SELECT DISTINCT valid_from FROM registry.${feed}_history`)).toEqual([
      { valid_from: FIRST },
    ]);
    expect(await countOf(`registry.${feed}_history`)).toBe(10);
  });
});

describe('cases', () => {
  beforeEach(async () => {
    county.rules = (await loadRules('config/rules')).filter(({ rule }) => rule === 'DQ10');
    const rows = titles(0, 20);
    await county.send(FEED, FIRST, [...rows.slice(2), title('T0', '王?'), title('T1', '李?')]);
  });

  test('that healed go with their events; open ones stay, and the tallies still agree', async () => {
    await county.send(FEED, SECOND, [...titles(1, 20).slice(1), title('T0', '王强'), title('T1', '李?')]);
    expect(await purgeAll(county)).toMatchObject({ 'closed cases': 1 });
    expect(await county.query('SELECT source_key, status FROM anomalies.anomaly')).toEqual([
      { source_key: 'T1', status: 'new' },
    ]);
    expect(
      await county.query(
        'SELECT status, sum(cases) AS n FROM anomalies.tally GROUP BY 1 HAVING sum(cases) <> 0',
      ),
    ).toEqual([{ status: 'new', n: expect.anything() }]);
    expect(await countOf('anomalies.anomaly_event')).toBe(1);
  });

  test('that a human closed stay closed for as long as the finding is the same', async () => {
    const [found] = await county.query<{ anomaly_id: number; version: number }>(
      `SELECT anomaly_id, version FROM anomalies.anomaly WHERE source_key = 'T0'`,
    );
    if (found === undefined) throw new Error('no case');
    await actOnCase(county.warehouse, found.anomaly_id, found.version, {
      action: 'dismiss',
      actor: { name: 'li', role: 'officer' },
      reason: 'not_a_fault',
      comment: '核实',
      today: SECOND,
      dueDates: await loadDueDates(county.configuration),
    });
    await purgeAll(county);
    await county.send(FEED, SECOND, [...titles(2, 21), title('T0', '王?'), title('T1', '李?')]);
    expect(
      await county.query('SELECT source_key, status FROM anomalies.anomaly ORDER BY source_key'),
    ).toEqual([
      { source_key: 'T0', status: 'dismissed' },
      { source_key: 'T1', status: 'new' },
    ]);
    expect(await county.query(`SELECT kind FROM anomalies.anomaly_event ORDER BY event_id`)).toEqual([
      { kind: 'opened' },
      { kind: 'dismissed' },
    ]);
  });
});

test('mentions of records that are gone go with their links, but not those that a decision in force names', async () => {
  await county.send(FEED, FIRST, titles(0, 20));
  await county.send(FEED, SECOND, titles(2, 20));
  await county.night(SECOND, [FEED]);
  await county.query(
    `INSERT INTO identity.decision (verdict, left_mention, right_mention, reason, decided_by)
     SELECT 'different', min(mention_id), max(mention_id), '核实', 'li' FROM identity.mention WHERE source_key IN ('T0', 'T5')`,
  );
  expect(await purgeAll(county)).toMatchObject({ 'mentions of records that are gone': 1 });
  expect(await county.query('SELECT source_key FROM identity.mention WHERE NOT active')).toEqual([
    { source_key: 'T0' },
  ]);
  expect(await countOf('identity.link')).toBe(await countOf('identity.mention'));
});

test('every batch that goes is an entry of the audit log, with counts alone; where nothing goes there is none', async () => {
  await county.send(FEED, FIRST, titles(0, 20));
  await county.send(FEED, SECOND, titles(2, 20));
  await purgeAll(county);
  const entries = await county.query(
    `SELECT actor, action, subject, detail FROM audit.entry WHERE action = 'purge' ORDER BY entry_id`,
  );
  expect(entries).toEqual([
    {
      actor: 'officer',
      action: 'purge',
      subject: 'landed files',
      detail: { before: '2099-01-01', count: 1 },
    },
    {
      actor: 'officer',
      action: 'purge',
      subject: 'mentions of records that are gone',
      detail: { before: '2099-01-01', count: 2 },
    },
    {
      actor: 'officer',
      action: 'purge',
      subject: `former versions in ${FEED}`,
      detail: { before: '2099-01-01', count: 2 },
    },
  ]);
  expect(await verifyAudit(county.warehouse, [await auditHead(county.warehouse)])).toEqual([]);
  await purgeAll(county);
  expect(await countOf(`audit.entry WHERE action = 'purge'`)).toBe(entries.length);
});

test('a night purges as of its date, and never as of a day that is still to come', async () => {
  const now = await today(county.warehouse);
  expect(await purgeDate(county.warehouse, '2026-01-01')).toBe('2026-01-01');
  expect(await purgeDate(county.warehouse, '2999-01-01')).toBe(now);
  await county.send(FEED, FIRST, titles(0, 20));
  await county.send(FEED, SECOND, titles(1, 20));
  await county.query(`UPDATE ops.delivery SET arrived_at = '2025-01-01 00:00+08'`);
  expect(await landed()).toHaveLength(2);
  await county.send(FEED, THIRD, titles(1, 20));
  expect(await landed()).toEqual([`${FEED}/${SECOND}`, `${FEED}/${THIRD}`]);
});

test('a run that has been overtaken purges nothing more', async () => {
  await county.send(FEED, FIRST, titles(0, 20));
  const old = await openRun(county.warehouse, FIRST, 'purge');
  await old.abandon();
  const run = await openRun(county.warehouse, FIRST, 'nightly');
  const order = {
    warehouse: county.warehouse,
    settings: county.configuration.settings.retention,
    dataFolder: county.data,
    asOf: FIRST,
    now: new Date(),
  };
  await expect(purge(order, old.runId, 'officer')).rejects.toMatchObject({ code: 'STALE_WORKER' });
  await run.close('done', null);
});
