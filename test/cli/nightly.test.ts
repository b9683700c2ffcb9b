import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { death, type Row, title, useCounty } from '../support/drop.ts';
import { inCounty } from './popshare.ts';

const county = useCounty();
const popshare = inCounty(county);
const [FIRST, SECOND, THIRD] = ['2026-11-18', '2026-11-19', '2026-11-20'];
const titles = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => title(`T${index}`, '王强'));
const FEEDS = ['--feed', 'housing_ownership', 'death_registration'];

beforeEach(async () => {
  await county.deliver('housing_ownership', FIRST, titles(20));
  await county.deliver('death_registration', FIRST, [death('1', '李娜', '01 08:00:00')]);
});

describe('nightly', () => {
  test('--json prints the report of INTERFACE.md, and nothing else on stdout', async () => {
    const { code, stdout, stderr } = await popshare(['nightly', '--date', FIRST, ...FEEDS, '--json']);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const report: unknown = JSON.parse(stdout);
    const number: unknown = expect.any(Number);
    const counted = {
      accepted: 1,
      rejected: 0,
      new: 1,
      changed: 0,
      unchanged: 0,
      removed: 0,
      ms: number,
    };
    expect(report).toMatchObject({
      run_id: number,
      date: FIRST,
      status: 'done',
      deliveries: [
        {
          feed: 'death_registration',
          department: 'civil-affairs',
          status: 'applied',
          received: 1,
          ...counted,
        },
        { feed: 'housing_ownership', department: 'housing', status: 'applied', received: 20, new: 20 },
      ],
      identity: { mentions: 21, persons: number, links: expect.anything(), reviews: number, ms: number },
      ms: number,
    });
    expect(report).toHaveProperty('anomalies.DQ01', {
      opened: number,
      reopened: number,
      closed: number,
      open: number,
    });
    expect(stderr).toContain('housing_ownership 20 rows');
  });

  test('is safe to repeat, and without --json is for reading', async () => {
    await popshare(['nightly', '--date', FIRST, ...FEEDS]);
    const { code, stdout } = await popshare(['nightly', '--date', FIRST, ...FEEDS]);
    expect(code).toBe(0);
    expect(stdout).toContain(FIRST);
    expect(stdout).toMatch(/housing_ownership +applied +20/);
    expect(await county.query('SELECT count(*) AS n FROM ops.delivery')).toEqual([{ n: 2 }]);
  });

  test('takes the drop folder from --drop before POPSHARE_DROP', async () => {
    const args = ['nightly', '--date', FIRST, ...FEEDS, '--json'];
    const { stdout } = await popshare([...args, '--drop', county.drop], { POPSHARE_DROP: '/nowhere' });
    expect(stdout).toContain('"status":"applied"');
  });

  test('ends with 3 when a delivery is held', async () => {
    await popshare(['nightly', '--date', FIRST, ...FEEDS]);
    await county.deliver('housing_ownership', SECOND, titles(5));
    const { code, stdout } = await popshare(['nightly', '--date', SECOND, ...FEEDS, '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'done',
      deliveries: [
        {
          feed: 'death_registration',
          status: 'missing',
          received: null,
          reason: expect.stringContaining('FD01'),
        },
        { feed: 'housing_ownership', status: 'held', received: 5, reason: expect.stringContaining('FD02') },
      ],
    });
  });

  test('ends with 1 when a rule fails, and names its file; the rest of the night is done', async () => {
    const config = path.join(county.base, 'config');
    await cp('config', config, { recursive: true });
    await writeFile(
      path.join(config, 'rules', 'ZZ99-broken.sql'),
      '/*\nrule: ZZ99\ntitle: { zh: 坏, en: Broken }\nseverity: low\nowner: source\nevaluates: everything\ndefinition: none\nresolved_by: nobody\n*/\nSELECT * FROM nothing\n',
    );
    const { code, stdout } = await popshare(['nightly', '--date', FIRST, ...FEEDS, '--json'], {
      POPSHARE_CONFIG: config,
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failed',
      failed_rules: [expect.stringMatching(/ZZ99-broken\.sql:10: .*nothing/)],
      deliveries: [{ status: 'applied' }, { status: 'applied' }],
    });
  });

  test('ends with 2 for a feed that no binding names', async () => {
    const { code, stdout, stderr } = await popshare(['nightly', '--date', FIRST, '--feed', 'tax', '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^FEED_UNKNOWN: /m);
  });

  test('ends with 1 when the database does not answer, and keeps its password to itself', async () => {
    const DATABASE_URL = 'postgres://officer:s3cret@127.0.0.1:1/popshare';
    const { code, stdout, stderr } = await popshare(['nightly', '--date', FIRST, '--json'], { DATABASE_URL });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^DATABASE_UNREACHABLE: no answer from 127\.0\.0\.1:1\/popshare/m);
    expect(stderr).not.toContain('s3cret');
  });

  test('ends with 2 for a wrong binding, before any work', async () => {
    const config = path.join(county.base, 'config');
    await cp('config', config, { recursive: true });
    await writeFile(path.join(config, 'feeds', 'housing_ownership.yaml'), 'feed: housing_ownership\n');
    const { code, stderr } = await popshare(['nightly', '--date', FIRST], { POPSHARE_CONFIG: config });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^CONFIG_INVALID: .*housing_ownership\.yaml:1: /m);
    expect(await county.query('SELECT * FROM ops.run')).toEqual([]);
  });
});

describe('backfill', () => {
  test('runs the dates that the ledger lacks, in order, and only those', async () => {
    await county.deliver('housing_ownership', THIRD, titles(19));
    await popshare(['nightly', '--date', SECOND]);
    const { code, stdout } = await popshare(['backfill', '--from', FIRST, '--to', THIRD, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ runs: [{ date: FIRST }, { date: THIRD }] });
    expect(await county.records('housing_ownership', 'owner_name', FIRST)).toHaveProperty('T19');
    expect(await county.records('housing_ownership', 'owner_name')).not.toHaveProperty('T19');
    const again = await popshare(['backfill', '--from', FIRST, '--to', THIRD, '--json']);
    expect(JSON.parse(again.stdout)).toEqual({ runs: [] });
  });
});
