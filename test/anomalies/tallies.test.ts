import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { foldTallies } from '../../src/anomalies/queue/tallies.ts';
import { openSession } from '../../src/server/accounts/sessions.ts';
import { type Finding, TODAY, useQueue } from './queue.ts';

const queue = useQueue();
const { county, night, act, idOf, page } = queue;

/** Cases each in a township of its own. */
const scattered = (count: number): Finding[] =>
  Array.from({ length: count }, (_, n) => ({
    subject: String(n),
    division: `62${String(n).padStart(7, '0')}001`,
  }));

async function inJournal(): Promise<number> {
  const [found] = await county.query<{ rows: number }>(
    'SELECT count(*)::int AS rows FROM anomalies.tally_move',
  );
  return found?.rows ?? 0;
}

test('while officers click and others enter the journal in the books, every page counts what it lists', async () => {
  await night(TODAY, scattered(60));
  const first = await idOf('0');
  const clicks = Array.from({ length: 60 }, (_, n) => first + n).values();
  let working = true;
  const officers = Promise.all(
    Array.from({ length: 3 }, async () => {
      for (const id of clicks) {
        await act(id, 'assign');
        await act(id, id % 2 === 0 ? 'dismiss' : 'return');
      }
    }),
  ).finally(() => {
    working = false;
  });
  const folding = (async () => {
    while (working) await county.warehouse.db.transaction().execute(foldTallies);
  })();
  while (working) {
    const { counts, cases } = await page({}, { limit: 200 });
    expect(cases).toHaveLength(counts.total);
    expect(Object.values(counts.by_status).reduce((sum, n) => sum + n, 0)).toBe(counts.total);
  }
  await Promise.all([officers, folding]);
  expect((await page()).counts.by_status).toEqual({ returned: 30 });
  expect((await page({ status: ['dismissed'] })).counts.total).toBe(30);
});

test('whoever finds much in the journal enters it', async () => {
  await night(TODAY, scattered(400));
  expect(await inJournal()).toBe(400);
  await night('2026-11-19', scattered(1000));
  expect(await inJournal()).toBe(0);
  await act(await idOf('7'), 'dismiss');
  expect(await inJournal()).toBe(2);
  expect((await page()).counts.total).toBe(999);
});

test('who finds somebody else entering the journal leaves it to them', async () => {
  await night(TODAY, scattered(5));
  await county.warehouse.db.transaction().execute(async (tx) => {
    await foldTallies(tx);
    await county.warehouse.db.transaction().execute(foldTallies);
    expect(await inJournal()).toBe(5);
  });
  expect(await inJournal()).toBe(0);
  expect((await page()).counts.total).toBe(5);
});

test('the roles that the server works in may do all that for whoever works on cases', async () => {
  await night(TODAY, scattered(5));
  const { db } = county.warehouse;
  const [account] = await county.query<{ account_id: number }>(
    `INSERT INTO access.account (name, display_name, role) VALUES ('li', '李', 'officer') RETURNING account_id`,
  );
  const token = await openSession(db, account?.account_id ?? 0, { hours: 1, idle_minutes: 60 });
  for (const role of ['popshare_app', 'popshare_export'])
    await db.transaction().execute(async (tx) => {
      await sql`SET LOCAL ROLE ${sql.id(role)}`.execute(tx);
      await sql`SELECT set_config('popshare.session', ${token}, true)`.execute(tx);
      await foldTallies(tx);
      expect((await sql`SELECT FROM anomalies.tally_town`.execute(tx)).rows).toHaveLength(5);
    });
  expect(await inJournal()).toBe(0);
});
