import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import { openWarehouse } from '../../src/schema/warehouse/connect.ts';
import { migrate, requireMigrated } from '../../src/schema/warehouse/migrate.ts';
import { useCounty } from '../support/drop.ts';
import { createWarehouse } from '../support/warehouse.ts';

/**
 * A warehouse as the version before the first one with accounts left it (migrations up to 0014): the first night of
 * the demo, of these feeds; one case given to an officer, one dismissed. As pg_dump writes it, without reference data.
 */
const FIXTURE = 'test/fixtures/upgrade/warehouse-0014.sql.gz';
const FEEDS = ['death_registration', 'subsistence_allowance', 'birth_certificate', 'housing_lease'];
const HANDLED = `(rule = 'DQ01' AND subject IN ('death_registration|B6208020000004|subject', 'housing_lease|L6208020000193|tenant'))`;
const [FIRST, SECOND] = ['2026-11-18', '2026-11-19'];

const county = useCounty();

beforeEach(async () => {
  county.drop = 'demo/deliveries';
  county.rules = await loadRules('config/rules');
});

async function openOld(): Promise<Awaited<ReturnType<typeof createWarehouse>>> {
  const { url, close } = await createWarehouse('template0');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(await text(createReadStream(FIXTURE).pipe(createGunzip())));
  await client.end();
  // Its sessions begin with the search path of everybody.
  return openWarehouse(url, close);
}

/** Registry, persons and cases, by what they are. */
async function answers(): Promise<Record<string, unknown[]>> {
  const mention = `concat_ws(' ', m.feed, m.source_key, m.role)`;
  const delivery = `(SELECT concat_ws(' ', d.business_date, d.sequence) FROM ops.delivery d WHERE d.delivery_id = r.delivery_id)`;
  const registry = await Promise.all(
    FEEDS.map(
      async (feed): Promise<[string, unknown[]]> => [
        feed,
        await county.query(
          `SELECT to_jsonb(r) - 'delivery_id' AS record, ${delivery} AS delivery FROM registry.${feed} r ORDER BY source_key`,
        ),
      ],
    ),
  );
  return {
    ...Object.fromEntries(registry),
    persons: await county.query(
      `SELECT string_agg(${mention} || ' ' || l.method, ', ' ORDER BY ${mention}) AS person
       FROM identity.link l JOIN identity.mention m USING (mention_id) WHERE m.active GROUP BY l.person_id ORDER BY 1`,
    ),
    cases: await county.query(
      `SELECT rule, subject, evidence, severity, department, opened_on FROM anomalies.anomaly
       WHERE NOT ${HANDLED} AND status IN ('new', 'assigned', 'returned') ORDER BY rule, subject`,
    ),
    tally: await county.query(
      `SELECT rule, sum(cases) AS cases FROM anomalies.tally GROUP BY rule HAVING sum(cases) <> 0 ORDER BY rule`,
    ),
    counts: await county.query(
      'SELECT * FROM reporting.residence ORDER BY division, category, sex, age_group',
    ),
  };
}

test('a warehouse of an earlier version with data in it is brought here, and goes on as if it had always been', async () => {
  for (const date of [FIRST, SECOND]) await county.night(date, FEEDS);
  const expected = await answers();

  const old = await openOld();
  try {
    county.moveTo(old);
    await expect(requireMigrated(old)).rejects.toMatchObject({ code: 'DATABASE_NOT_MIGRATED' });
    const before = await county.query('SELECT * FROM registry.housing_lease ORDER BY source_key');
    expect(await migrate(old, CONTRACTS)).toContain('0025-retention');
    await requireMigrated(old);
    expect(await county.query('SELECT * FROM registry.housing_lease ORDER BY source_key')).toEqual(before);
    const { status } = await county.night(SECOND, FEEDS);
    expect(status).toBe('done');
    expect(await answers()).toEqual(expected);
    expect(
      await county.query(
        `SELECT anomaly_id, status, owner FROM anomalies.anomaly WHERE ${HANDLED} ORDER BY 1`,
      ),
    ).toEqual([
      { anomaly_id: 1, status: 'assigned', owner: 'li' },
      { anomaly_id: 4, status: 'dismissed', owner: null },
    ]);
  } finally {
    await old.close();
  }
}, 240_000);
