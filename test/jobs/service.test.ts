import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contentsOf } from '../faults/contents.ts';
import { FIRST, kill, SECOND, useDisturbance } from '../faults/disturbed.ts';
import { death, title } from '../support/drop.ts';
import { backends, flush, redisDatabase } from './redis.ts';

const redisUrl = redisDatabase(2);
const LATER = [20, 21, 22, 23, 24, 25, 26, 27].map((day) => `2026-11-${day}`);
const NIGHTS = [FIRST, SECOND, ...LATER];
const MOST_KILLS_A_NIGHT = 2;
const PARTS = ['scheduler', 'scheduler', 'worker', 'worker', 'worker'] as const;

const disturbance = useDisturbance();
const { county } = disturbance;
let children: ChildProcess[] = [];
/** The same on both back ends. */
let undisturbedContents: Record<string, string[]> | undefined;

/** Each title its own owner: side by side, feeds have no order, and nothing here may depend on one. */
const OWNERS = [...'赵钱孙李周吴郑冯陈褚卫蒋沈韩杨朱秦尤许何'].map(
  (family, n) => `${family}${'建国秀英'[n % 4]}`,
);

beforeEach(async () => {
  await flush(redisUrl);
  await empty();
  for (const [night, date] of NIGHTS.entries()) {
    const titles = OWNERS.slice(night, night + 12).map((owner, n) =>
      title(`T${n + night}`, n === night ? '' : owner),
    );
    await county.deliver('housing_ownership', date, titles);
  }
  for (const [night, date] of LATER.entries()) {
    const deaths = [death(`E${night}`, `${OWNERS[night]}梅`, `${20 + night} 08:00:00`)];
    await county.deliver('death_registration', date, deaths);
  }
});

afterEach(async () => {
  for (const child of children) await kill(child);
  children = [];
});

/** What all nights leave behind when nothing happens; the county is then empty. */
async function undisturbed(): Promise<Record<string, string[]>> {
  for (const date of NIGHTS) await county.night(date, []);
  const contents = await contentsOf(county.warehouse);
  await empty();
  return contents;
}

async function empty(): Promise<void> {
  await county.empty();
  await rm(county.data, { recursive: true });
}

function begin(part: (typeof PARTS)[number], url: string | undefined): ChildProcess {
  const options = {
    part,
    databaseUrl: county.warehouse.url,
    redisUrl: url,
    configFolder: county.configuration.folder,
    dataFolder: county.data,
    dropFolder: county.drop,
    clock: path.join(county.base, 'clock'),
  };
  return spawn(process.execPath, ['test/jobs/service-process.ts', JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Lets the clock of all schedulers show the minute after the cut-off of a date. */
const setClock = (date: string): void =>
  writeFileSync(path.join(county.base, 'clock'), `${date}T22:01:00+08:00`);

const numberOf = async (query: string, values: readonly unknown[] = []): Promise<number> =>
  Number((await county.query<{ n: unknown }>(query, values))[0]?.n);

const stepsDone = (): Promise<number> => numberOf(`SELECT count(*) AS n FROM ops.step WHERE status = 'done'`);

const isDone = async (date: string): Promise<boolean> =>
  (await numberOf(`SELECT count(*) AS n FROM ops.run WHERE business_date = $1 AND status = 'done'`, [date])) >
  0;

const eventually = (what: () => Promise<boolean>): Promise<void> =>
  expect.poll(what, { timeout: 60_000, interval: 50 }).toBe(true);

/** One night in which, after so many steps each time, one of the processes is killed and another is begun. */
async function killingNight(
  date: string,
  url: string | undefined,
  kills: readonly (readonly [steps: number, victim: number])[],
): Promise<void> {
  setClock(date);
  for (const [steps, victim] of kills) {
    const mark = (await stepsDone()) + steps;
    await eventually(async () => (await stepsDone()) >= mark || (await isDone(date)));
    const [child, part] = [children[victim], PARTS[victim]];
    if (child === undefined || part === undefined) throw new Error(`no process ${victim}`);
    await kill(child);
    children[victim] = begin(part, url);
  }
  await eventually(() => isDone(date));
}

describe.each(backends(redisUrl))('two schedulers and three workers on $backend', ({ url, isThere }) => {
  test.skipIf(!isThere)(
    'killed at random over its nights run each of them to its end once',
    async () => {
      undisturbedContents ??= await undisturbed();
      const expected = undisturbedContents;
      const seed = Math.floor(Math.random() * 2 ** 31);
      const kill = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: PARTS.length - 1 }));
      const kills = fc.sample(fc.array(kill, { maxLength: MOST_KILLS_A_NIGHT }), {
        seed,
        numRuns: NIGHTS.length,
      });
      setClock(FIRST);
      children = PARTS.map((part) => begin(part, url));
      for (const [night, date] of NIGHTS.entries()) await killingNight(date, url, kills[night] ?? []);

      expect(
        await county.query(
          `SELECT business_date AS date, count(*) AS runs FROM ops.run WHERE status = 'done' GROUP BY 1 ORDER BY 1`,
        ),
        `seed ${seed}`,
      ).toEqual(NIGHTS.map((date) => ({ date, runs: 1 })));
      expect(
        await county.query(`SELECT run_id FROM ops.run WHERE status = 'failed'`),
        `seed ${seed}`,
      ).toEqual([]);
      expect(await contentsOf(county.warehouse), `seed ${seed}`).toEqual(expected);
    },
    300_000,
  );
});
