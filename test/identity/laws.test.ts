import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { reconcile } from '../../src/identity/reconcile.ts';
import { decide, lift } from '../../src/jobs/decision.ts';
import { openRun } from '../../src/jobs/run.ts';
import { useCounty } from '../support/drop.ts';
import { partOfNight } from '../support/part-of-night.ts';
import { partition, personsModel, personsOf, reviewsOf } from './persons.ts';
import { type Registers, registersArbitrary } from './registers.ts';

// A counterexample is told as it is found: making it smaller takes as many nights again.
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
vi.setConfig({ testTimeout: 180_000 });

const county = useCounty('ingest', 'identity');
const TONIGHT = '2026-11-18';

/** One night from an empty warehouse, the feeds in this order. */
async function firstNight(registers: Registers, feeds = Object.keys(registers)): Promise<void> {
  await county.empty();
  for (const feed of feeds) await county.deliver(feed, TONIGHT, registers[feed] ?? []);
  const bindings = feeds.map((feed) => county.binding(feed));
  const report = await partOfNight(
    {
      warehouse: county.warehouse,
      configuration: { ...county.configuration, bindings },
      rules: [],
      dataFolder: county.data,
      dropFolder: county.drop,
      businessDate: TONIGHT,
      purpose: 'nightly',
      feeds,
      progress: { stepBegan() {}, stepEnded() {}, rows() {} },
    },
    ['ingest', 'identity'],
  );
  expect(report.deliveries.map(({ status }) => status)).toEqual(feeds.map(() => 'applied'));
}

/** Persons with two valid numbers, and persons whom one record names twice. */
async function lawBreakers(): Promise<unknown[]> {
  return county.query(`
    SELECT 'two numbers' AS law, person_id, array_agg(source_key) AS records
    FROM identity.link JOIN identity.mention m USING (mention_id) WHERE active
    GROUP BY person_id HAVING count(DISTINCT m.id_number) > 1
    UNION ALL
    SELECT 'one record', person_id, array_agg(source_key)
    FROM identity.link JOIN identity.mention m USING (mention_id) WHERE active
    GROUP BY person_id, feed, source_key HAVING count(*) > 1`);
}

test('no two valid numbers, and no two people of one record, are ever one person without a human', async () => {
  await fc.assert(
    fc.asyncProperty(registersArbitrary, async (registers) => {
      await firstNight(registers);
      expect(await lawBreakers()).toEqual([]);
    }),
    { numRuns: 8 },
  );
});

/** Every pair of mentions can be decided upon: two of these numbers choose it. */
const choiceArbitrary = fc.record({
  left: fc.nat(),
  right: fc.nat(),
  verdict: fc.constantFrom('same' as const, 'different' as const),
});

type Choice = typeof choiceArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

test('decisions hold through the nights that follow, and under a model with other weights', async () => {
  const model = await personsModel();
  const bold = { ...model, thresholds: { ...model.thresholds, join: -8, split: -10 } };
  const shy = { ...model, thresholds: { ...model.thresholds, join: 30, split: 20 } };
  await fc.assert(
    fc.asyncProperty(
      registersArbitrary,
      fc.array(choiceArbitrary, { minLength: 1, maxLength: 4 }),
      async (registers, choices) => {
        await firstNight(registers);
        await decideAll(choices);
        expect(await disobeyed()).toEqual([]);
        for (const weights of [bold, shy, model]) {
          await touchEverySecond();
          const run = await openRun(county.warehouse, TONIGHT, 'nightly');
          await county.query('UPDATE identity.mention SET changed_run = $1 WHERE changed_run = 0', [
            run.runId,
          ]);
          await reconcile(county.warehouse, run.runId, weights);
          await run.close('done', null);
          expect(await disobeyed()).toEqual([]);
        }
      },
    ),
    { numRuns: 6 },
  );
});

function without(
  aside: ReadonlySet<string>,
  persons: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(Object.entries(persons).filter(([record]) => !aside.has(record)));
}

/** Decides as chosen, but for what would contradict a decision before. */
async function decideAll(choices: readonly Choice[]): Promise<number[]> {
  const model = await personsModel();
  const mentions = await county.query<{ mention_id: number }>(
    'SELECT mention_id FROM identity.mention ORDER BY mention_id',
  );
  const decisions = new Set<number>();
  for (const { left, right, verdict } of choices) {
    const pair = [left, right].map((at) => mentions[at % mentions.length]?.mention_id ?? 0);
    const [one = 0, other = 0] = pair;
    if (one === other) continue;
    const decision = { verdict, mentions: [one, other], reason: '测试', decidedBy: 'officer' } as const;
    const decisionId = await decide(county.warehouse, model, decision).catch((error) => {
      expect(error).toMatchObject({ code: 'DECISION_CONFLICT' });
    });
    if (decisionId !== undefined) decisions.add(decisionId);
  }
  return [...decisions];
}

async function touchEverySecond(): Promise<void> {
  await county.query('UPDATE identity.mention SET changed_run = 0 WHERE mention_id % 2 = 0');
}

/** Decisions in force that the links do not follow. */
async function disobeyed(): Promise<unknown[]> {
  return county.query(`
    SELECT d.verdict, d.left_mention, d.right_mention, l.person_id AS left_person, r.person_id AS right_person
    FROM identity.decision d
    JOIN identity.link l ON l.mention_id = d.left_mention JOIN identity.link r ON r.mention_id = d.right_mention
    WHERE d.lifted_at IS NULL AND (d.verdict = 'same') <> (l.person_id = r.person_id)`);
}

// Of a person in doubt, what was linked last counts (hysteresis).
test('a decision that is lifted leaves every undoubted record with the person that it had before', async () => {
  const model = await personsModel();
  await fc.assert(
    fc.asyncProperty(registersArbitrary, choiceArbitrary, async (registers, choice) => {
      await firstNight(registers);
      const [before, doubtedBefore] = [await personsOf(county), await doubted()];
      for (const decisionId of await decideAll([choice]))
        await lift(county.warehouse, model, { decisionId, reason: '测试', liftedBy: 'officer' });
      const aside = new Set([...doubtedBefore, ...(await doubted())]);
      expect(without(aside, await personsOf(county))).toEqual(without(aside, before));
    }),
    { numRuns: 7 },
  );
});

test('the feeds of a night make the same persons and the same reviews in any order', async () => {
  await fc.assert(
    fc.asyncProperty(registersArbitrary, fc.infiniteStream(fc.nat()), async (registers, stream) => {
      await firstNight(registers);
      const expected = { persons: partition(await personsOf(county)), reviews: await reviewsOf(county) };
      for (let order = 0; order < 10; order++) {
        await firstNight(registers, shuffled(Object.keys(registers), stream));
        expect({ persons: partition(await personsOf(county)), reviews: await reviewsOf(county) }).toEqual(
          expected,
        );
      }
    }),
    { numRuns: 2 },
  );
});

function shuffled(feeds: readonly string[], stream: Iterator<number>): string[] {
  return feeds
    .map((feed) => ({ feed, place: Number(stream.next().value) }))
    .sort((left, right) => left.place - right.place)
    .map(({ feed }) => feed);
}

/** One feed a night, in this order. */
async function nightByNight(registers: Registers, feeds: readonly string[]): Promise<void> {
  await county.empty();
  for (const [at, feed] of feeds.entries()) {
    const date = `2026-11-${18 + at}`;
    await county.deliver(feed, date, registers[feed] ?? []);
    expect(await county.night(date, [feed])).toMatchObject({ deliveries: [{ status: 'applied' }] });
  }
}

/** The records of persons who wait for a review: what is decided for one of a group goes for all. */
async function doubted(): Promise<string[]> {
  const rows = await county.query<{ record: string }>(`
    SELECT concat_ws(' ', m.feed, m.source_key, m.role) AS record
    FROM identity.link l JOIN identity.mention m USING (mention_id)
    WHERE l.person_id IN (
      SELECT k.person_id FROM identity.review r JOIN identity.link k ON k.mention_id IN (r.left_mention, r.right_mention)
      WHERE r.status = 'open')`);
  return rows.map(({ record }) => record);
}

test('the nights make the same persons in any order, but for records that a human must look at', async () => {
  await fc.assert(
    fc.asyncProperty(registersArbitrary, fc.infiniteStream(fc.nat()), async (registers, stream) => {
      await firstNight(registers);
      const [atOnce, doubtedAtOnce] = [await personsOf(county), await doubted()];
      for (let order = 0; order < 10; order++) {
        const feeds = shuffled(Object.keys(registers), stream);
        await nightByNight(registers, feeds);
        expect(await lawBreakers()).toEqual([]);
        const aside = new Set([...doubtedAtOnce, ...(await doubted())]);
        const inOrder = partition(await personsOf(county), aside);
        expect(`${feeds}\n${inOrder}`).toBe(`${feeds}\n${partition(atOnce, aside)}`);
      }
    }),
    { numRuns: 2 },
  );
});
