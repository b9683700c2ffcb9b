import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { popshare } from '../cli/popshare.ts';
import { debianVersion, startDebianServer } from './debian-server.ts';

const run = promisify(execFile);
const version = debianVersion();
const FEEDS = ['death_registration', 'birth_certificate', 'housing_lease'];
const SCHEMAS = `'ops', 'registry', 'identity', 'population', 'anomalies', 'audit', 'access', 'reference', 'reporting', 'masked'`;

async function query<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Every table and every view with the number and the digest of its rows. */
async function contents(url: string): Promise<Record<string, unknown>> {
  const relations = await query<{ name: string }>(
    url,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN (${SCHEMAS}) AND c.relkind IN ('r', 'v') AND c.relpersistence = 'p' ORDER BY 1`,
  );
  const found: Record<string, unknown> = {};
  for (const { name } of relations) {
    const [row] = await query(
      url,
      `SELECT count(*) AS rows, md5(string_agg(md5(r::text), '' ORDER BY md5(r::text))) AS digest FROM ${name} r`,
    );
    found[name] = row;
  }
  return found;
}

/** Who owns what, who may do what with it, and which rows whom is shown. A dump leaves out rights that all owners have. */
const rights = (url: string): Promise<object[]> =>
  query(
    url,
    `SELECT format('%I.%I %s %s %s', n.nspname, c.relname, pg_get_userbyid(c.relowner),
                   coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)), c.relrowsecurity) AS held
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN (${SCHEMAS})
     UNION ALL
     SELECT format('%I.%I %s %s %s', schemaname, tablename, policyname, roles, qual) FROM pg_policies
     UNION ALL
     SELECT format('%s %s %s', p.oid::regprocedure, pg_get_userbyid(p.proowner), coalesce(p.proacl, acldefault('f', p.proowner)))
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN (${SCHEMAS}) ORDER BY 1`,
  );

/** The statements of the first SQL in docs/operations.md after this text: what is documented is what is tried. */
async function documentedSql(after: string): Promise<string[]> {
  const page = await readFile('docs/operations.md', 'utf8');
  const section = page.slice(page.indexOf(after));
  const sql = /```sql\n([^`]*)```/.exec(section)?.[1] ?? '';
  return sql.split('\n').filter((line) => line !== '');
}

test.skipIf(version === null)(
  'a dump that is restored on another server, with the landed files, gives the same answers (needs pg_dump and the server of its version, which .ci/run installs)',
  async () => {
    if (version === null) return;
    const base = await mkdtemp(path.join(tmpdir(), 'popshare-backup-'));
    const servers = [await startDebianServer(version), await startDebianServer(version)];
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error('no servers');
    try {
      for (const statement of await documentedSql("## A server of one's own"))
        await query(first.url('admin', 'postgres'), statement);
      for (const statement of await documentedSql('**Restore**'))
        await query(second.url('admin', 'postgres'), statement);
      const at = (server: typeof first, folder: string) => ({
        DATABASE_URL: server.url('popshare', 'popshare'),
        POPSHARE_CONFIG: 'config',
        POPSHARE_DATA: path.join(base, folder),
        POPSHARE_DROP: 'demo/deliveries',
      });
      const [original, restored] = [at(first, 'original'), at(second, 'restored')];
      expect(await popshare(['nightly', '--date', '2026-11-18', '--feed', ...FEEDS], original)).toMatchObject(
        { code: 0 },
      );
      expect(
        await popshare(['cases', 'show', '1', '--as', 'li', '--purpose', '核实'], original),
      ).toMatchObject({ code: 0 });
      expect(
        await popshare(['nightly', '--date', '2026-11-19', '--feed', 'housing_lease'], original),
      ).toMatchObject({ code: 0 });

      const dump = path.join(base, 'popshare.dump');
      await run('pg_dump', ['--format=custom', `--file=${dump}`, original.DATABASE_URL]);
      for (const name of ['landing', 'audit-anchors.log'])
        await cp(path.join(original.POPSHARE_DATA, name), path.join(restored.POPSHARE_DATA, name), {
          recursive: true,
        });
      await run('pg_restore', ['--exit-on-error', `--dbname=${second.url('admin', 'popshare')}`, dump]);

      const expected = await contents(original.DATABASE_URL);
      expect(Object.keys(expected).filter((name) => name.startsWith('reporting.')).length).toBeGreaterThan(8);
      expect(await contents(restored.DATABASE_URL)).toEqual(expected);
      expect(await rights(restored.DATABASE_URL)).toEqual(await rights(original.DATABASE_URL));
      const doctor = await popshare(['doctor', '--json'], restored);
      expect(
        JSON.parse(doctor.stdout).checks.filter(({ state }: { state: string }) => state === 'problem'),
      ).toEqual([]);
      const verified = await popshare(['audit', 'verify', '--json'], restored);
      expect(verified).toMatchObject({ code: 0 });
      expect(JSON.parse(verified.stdout)).toMatchObject({ entries: expect.any(Number), faults: [] });

      for (const [owner, folder] of [
        [original, 'views'],
        [restored, 'restored-views'],
      ] as const) {
        const out = path.join(base, folder);
        const exported = await popshare(['export', '--format', 'csv', '--out', out], owner);
        expect(exported, exported.stderr).toMatchObject({ code: 0 });
      }
      const viewOf = (folder: string): Promise<string> =>
        readFile(path.join(base, folder, 'link.csv'), 'utf8');
      expect((await viewOf('restored-views')).split('\n').sort()).toEqual(
        (await viewOf('views')).split('\n').sort(),
      );

      const [delivery] = await query<{ delivery_id: string }>(
        restored.DATABASE_URL,
        `SELECT delivery_id FROM ops.feed_state WHERE feed = 'housing_lease'`,
      );
      const replayed = await popshare(
        ['deliveries', 'replay', delivery?.delivery_id ?? '', '--reason', '演练'],
        restored,
      );
      expect(replayed, replayed.stderr).toMatchObject({ code: 0 });
    } finally {
      for (const server of servers) await server.stop();
      await rm(base, { recursive: true, force: true });
    }
  },
  600_000,
);
