import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { checkDigit } from '../../src/schema/standards/identity-number.ts';
import type { Warehouse } from '../../src/schema/warehouse/connect.ts';
import { death, fileOf, type Row, title, useCounty } from '../support/drop.ts';

export const [FIRST, SECOND] = ['2026-11-18', '2026-11-19'];
export const FEEDS = ['household_register', 'death_registration', 'housing_ownership'];

const RULES = {
  'DQ14.sql': `/*
rule: DQ14
title: { zh: 缺少身份证号, en: No ID number }
severity: info
owner: source
evaluates: changed mentions
definition: no ID number at all
resolved_by: the next delivery
*/
SELECT feed || ' ' || source_key || ' ' || role AS subject, feed, source_key, role, person_id, division,
       jsonb_build_object('kind', id_kind) AS evidence
FROM rule_mention WHERE id_kind = 'absent'
`,
  'DQ01.sql': `/*
rule: DQ01
title: { zh: 证件号码校验错误, en: Wrong ID number }
severity: high
owner: source
evaluates: changed mentions
definition: an ID number that is none
resolved_by: the next delivery
*/
SELECT feed || ' ' || source_key || ' ' || role AS subject, feed, source_key, role, person_id, division,
       jsonb_build_object('kind', id_kind) AS evidence
FROM rule_mention WHERE id_kind = 'invalid'
`,
  'ID08.sql': `/*
rule: ID08
title: { zh: 应销未销, en: Dead and still registered }
severity: high
owner: public-security
evaluates: everything
definition: a death registration, and an active household register
resolved_by: the next delivery
*/
SELECT m.source_key AS subject, m.feed, m.source_key, m.role, l.person_id, m.division, '{}'::jsonb AS evidence
FROM identity.mention m JOIN identity.link l USING (mention_id)
WHERE m.active AND m.feed = 'household_register' AND EXISTS (
  SELECT FROM identity.mention d JOIN identity.link o USING (mention_id)
  WHERE d.active AND d.feed = 'death_registration' AND o.person_id = l.person_id)
`,
};

function idNumber(sequence: number): string {
  const first17 = `62080219900101${String(sequence).padStart(3, '0')}`;
  return first17 + checkDigit(first17);
}

function resident(sequence: number, name: string, more: Row = {}): Row {
  return {
    person_number: `P${sequence}`,
    id_number: idNumber(sequence),
    name,
    sex: sequence % 2 === 1 ? '1' : '2',
    birth_date: '19900101',
    registered_division: '620802001001',
    household_number: `H${sequence % 3}`,
    status: '1',
    updated_at: '2026-11-01 08:00:00',
    ...more,
  };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** What is sent: the second night changes, adds, removes, mends and spoils something of every feed. */
const NIGHTS: Record<string, Record<string, Row[]>> = {
  [FIRST]: {
    household_register: range(12).map((n) => resident(n, n === 5 ? '' : '王强')),
    death_registration: [1, 2].map((n) => death(`D${n}`, '王强', '02 08:00:00', { id_number: idNumber(n) })),
    housing_ownership: range(12).map((n) =>
      title(`T${n}`, '王强', { owner_id_number: n > 8 ? '' : idNumber(n) }),
    ),
  },
  [SECOND]: {
    household_register: range(14)
      .filter((n) => n !== 7)
      .map((n) =>
        resident(
          n,
          n === 9 ? '李娜' : '王强',
          n === 4 ? { birth_date: '?' } : n === 1 ? { status: '3' } : {},
        ),
      ),
    death_registration: [2, 3, 4].map((n) =>
      death(`D${n}`, n === 4 ? '' : '王强', '03 08:00:00', { id_number: idNumber(n === 2 ? 20 : n) }),
    ),
    housing_ownership: range(13)
      .filter((n) => n !== 3)
      .map((n) => title(`T${n}`, n === 6 ? '张伟' : '王强', { owner_id_number: n > 9 ? '' : idNumber(n) })),
  },
};

type Contents = Record<string, string[]>;

/** A county whose second night is about to begin, and what disturbs it. */
class Disturbance {
  readonly county: ReturnType<typeof useCounty>;
  children: ChildProcess[] = [];
  blockers: pg.Client[] = [];
  #undisturbed: Contents | undefined;

  constructor(county: ReturnType<typeof useCounty>) {
    this.county = county;
  }

  async open(): Promise<void> {
    const { county } = this;
    const config = path.join(county.base, 'config');
    await cp('config', config, { recursive: true });
    const settings = await readFile('config/popshare.yaml', 'utf8');
    await writeFile(
      path.join(config, 'popshare.yaml'),
      settings.replace(/rejected_percent: \d+/, 'rejected_percent: 90'),
    );
    for (const name of await readdir(path.join(config, 'feeds'))) {
      if (!FEEDS.includes(path.basename(name, '.yaml'))) await rm(path.join(config, 'feeds', name));
    }
    await rm(path.join(config, 'rules'), { recursive: true });
    await mkdir(path.join(config, 'rules'));
    for (const [name, text] of Object.entries(RULES)) await writeFile(path.join(config, 'rules', name), text);
    await county.configure(config);
    county.rules = await loadRules(path.join(config, 'rules'));
    for (const [date, feeds] of Object.entries(NIGHTS)) {
      for (const [feed, rows] of Object.entries(feeds)) await county.deliver(feed, date, rows);
    }
    const deaths = fileOf(county.binding('death_registration'), NIGHTS[SECOND]?.['death_registration'] ?? []);
    const wider = deaths.toString('latin1').replaceAll('\r\n', ',extra\r\n');
    await county.deliverBytes('death_registration', SECOND, Buffer.from(wider, 'latin1'), 3);
    await county.night(FIRST, []);
  }

  /** What the second night leaves behind when nothing happens; the county is then before that night again. */
  async undisturbed(contentsOf: (warehouse: Warehouse) => Promise<Contents>): Promise<Contents> {
    if (this.#undisturbed === undefined) {
      await this.county.night(SECOND, []);
      this.#undisturbed = await contentsOf(this.county.warehouse);
      await this.county.empty();
      await rm(this.county.data, { recursive: true });
      await this.county.night(FIRST, []);
    }
    return this.#undisturbed;
  }

  async close(): Promise<void> {
    for (const child of this.children) await kill(child);
    for (const blocker of this.blockers) await blocker.end();
    this.children = [];
    this.blockers = [];
  }

  /** `popshare nightly` for the second night, in a process of its own. */
  nightly(url = this.county.warehouse.url): {
    child: ChildProcess;
    ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  } {
    const { base, data, drop } = this.county;
    const child = spawn(process.execPath, ['bin/popshare.js', 'nightly', '--date', SECOND, '--json'], {
      env: {
        ...process.env,
        DATABASE_URL: url,
        POPSHARE_CONFIG: path.join(base, 'config'),
        POPSHARE_DATA: data,
        POPSHARE_DROP: drop,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.children.push(child);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    return { child, ended: once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr })) };
  }

  /**
   * Waits until the run stands still at the last of these locks, each of them taken before the one before it is
   * given back. A lock is a table and a mode; the same table twice lets one statement pass.
   *
   * @returns gives the last lock back
   */
  async standStillAt(begin: () => void, locks: readonly string[]): Promise<() => Promise<void>> {
    let held: pg.Client | undefined;
    // Nothing of the run happens before this table is free; migrating does not touch it.
    for (const lock of ['ops.run IN EXCLUSIVE MODE', ...locks]) {
      const { client, pid } = await this.connect();
      await client.query('BEGIN');
      const granted = client.query(`LOCK TABLE ${lock}`);
      await this.until(
        `SELECT FROM pg_locks WHERE pid = ${pid} AND relation = '${lock.split(' ')[0]}'::regclass`,
      );
      if (held === undefined) begin();
      else await held.query('ROLLBACK');
      await granted;
      await this.untilWaitedFor(pid);
      held = client;
    }
    return async () => {
      await held?.query('ROLLBACK');
    };
  }

  /** Waits until the server has seen that the process of the run is no more. */
  async sessionsEnded(): Promise<void> {
    await this.until(`SELECT WHERE NOT EXISTS (
      SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE l.locktype = 'advisory' AND d.datname = current_database())`);
  }

  /** Waits until somebody waits for a lock of this session; other databases of the server are none of its business. */
  untilWaitedFor(pid: number): Promise<void> {
    return this.until(`SELECT FROM pg_stat_activity WHERE ${pid} = ANY (pg_blocking_pids(pid))`);
  }

  /** Waits until a query has rows. */
  async until(query: string): Promise<void> {
    await expect
      .poll(async () => (await this.county.query(query)).length, { timeout: 20_000, interval: 20 })
      .toBeGreaterThan(0);
  }

  /** A connection that is not the run's. */
  async connect(): Promise<{ client: pg.Client; pid: number }> {
    const client = new pg.Client({ connectionString: this.county.warehouse.url, application_name: 'test' });
    client.on('error', () => {});
    await client.connect();
    this.blockers.push(client);
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return { client, pid: rows[0]?.pid ?? 0 };
  }
}

/** Ends a process at once, as a crash does. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Registers a disturbed county with the tests of the file. */
export function useDisturbance(): Disturbance {
  const disturbance = new Disturbance(useCounty());
  beforeEach(() => disturbance.open());
  afterEach(() => disturbance.close());
  return disturbance;
}
