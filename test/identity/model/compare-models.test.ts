import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { compareModels, type ModelComparison } from '../../../src/identity/model/compare-models.ts';
import { tryOut } from '../../../src/identity/model/trial.ts';
import type { TrainedModel } from '../../../src/identity/model/weights.ts';
import { reconcile } from '../../../src/identity/reconcile.ts';
import { openRun } from '../../../src/jobs/run.ts';
import { insurance, register, residence, residentNumber, TONIGHT } from '../../rules/situation.ts';
import { useCounty } from '../../support/drop.ts';
import { personsModel } from '../persons.ts';

const county = useCounty('ingest', 'identity');
const S = 'social_insurance S|110 subject';
const PHONE = '13912904678';

let inForce: TrainedModel;
beforeEach(async () => {
  inForce = await personsModel();
});

/** H and I share name and day, and S is H's by the telephone; V is K's but for the day of birth; T and U are nobody's. */
async function aNight(): Promise<void> {
  const other = residentNumber('19800101', '003');
  const feeds = {
    household_register: [
      register('H', { phone: PHONE }),
      register('I', { id_number: other }),
      register('K', {
        id_number: residentNumber('19910203', '002'),
        name: '赵敏',
        sex: '2',
        birth_date: '19910203',
      }),
    ],
    residence_registration: [residence('J')],
    social_insurance: [
      insurance('S', { id_number: '', phone: PHONE }),
      insurance('T', { id_number: '', birth_date: '' }),
      insurance('U', { id_number: '', name: '李娜', sex: '2' }),
      insurance('V', { id_number: '', name: '赵敏', sex: '2', birth_date: '19910907' }),
    ],
  };
  for (const [feed, rows] of Object.entries(feeds)) await county.deliver(feed, TONIGHT, rows);
  expect(await county.night(TONIGHT, Object.keys(feeds))).toMatchObject({ status: 'done' });
}

function withThresholds(join: number, split: number): TrainedModel {
  return { ...inForce, version: 2, thresholds: { ...inForce.thresholds, join, split } };
}

async function compare(candidate: TrainedModel, examples = 100): Promise<ModelComparison> {
  return compareModels(county.warehouse, inForce, candidate, examples, () => {});
}

interface Standing {
  readonly links: Record<string, { person: number; method: string }>;
  readonly open: string[];
}

async function standing(): Promise<Standing> {
  const links = await county.query<{ record: string; person: number; method: string }>(`
    SELECT concat_ws(' ', feed, source_key, role) AS record, person_id AS person, method
    FROM identity.link JOIN identity.mention USING (mention_id)`);
  const open = await county.query<{ pair: string }>(`
    SELECT concat_ws(' ', left_source_key, right_source_key) AS pair FROM reporting.review WHERE status = 'open'`);
  return {
    links: Object.fromEntries(links.map(({ record, person, method }) => [record, { person, method }])),
    open: open.map(({ pair }) => pair).sort(),
  };
}

/** Every table, row by row. */
async function everything(): Promise<unknown> {
  const tables = await county.query<{ name: string }>(`
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname IN ('ops', 'identity', 'anomalies', 'registry') ORDER BY name`);
  const contents: unknown[] = [];
  for (const { name } of tables)
    contents.push(name, await county.query(`SELECT t::text, xmin::text FROM ${name} t ORDER BY 1`));
  return contents;
}

/** The night after the model was changed, as far as identity goes. */
async function nightWith(model: TrainedModel): Promise<void> {
  const run = await openRun(county.warehouse, TONIGHT, 'nightly');
  await reconcile(county.warehouse, run.runId, model);
  await run.close('done', null);
}

describe('comparing a model with that in force', () => {
  beforeEach(aNight);

  test.each([
    ['a bolder model', -30, -40],
    ['a shyer model', 40, 35],
    ['a model with other doubts', 30, -30],
  ])('%s: what is told is what the night then does', async (_, join, split) => {
    const candidate = withThresholds(join, split);
    const before = await standing();
    const told = await compare(candidate);
    await nightWith(candidate);
    const after = await standing();

    const moved = Object.keys(after.links).filter((record) => {
      const [was, is] = [before.links[record], after.links[record]];
      return was?.person !== is?.person || was?.method !== is?.method;
    });
    const record = (named: { feed: string; source_key: string; role: string }): string =>
      `${named.feed} ${named.source_key} ${named.role}`;
    expect(told.links.changed).toBe(moved.length);
    expect(told.links.changed + told.reviews.opened).toBeGreaterThan(0);
    expect(told.links.changed).toBe(told.links.by.reduce((sum, { mentions }) => sum + mentions, 0));
    expect(told.examples.links.map(record).sort()).toEqual(moved.sort());
    for (const example of told.examples.links) {
      const [was, is] = [before.links[record(example)], after.links[record(example)]];
      expect(example.before).toMatchObject({ person_id: was?.person, method: was?.method });
      expect(example.after.method).toBe(is?.method);
      const known = Object.values(before.links).some(({ person }) => person === is?.person);
      expect(example.after.person_id).toBe(known ? is?.person : null);
    }
    expect(told.reviews.opened).toBe(after.open.filter((pair) => !before.open.includes(pair)).length);
    expect(told.reviews.closed).toBe(before.open.filter((pair) => !after.open.includes(pair)).length);
    const events = await county.query<{ kind: string; events: number }>(`
      SELECT kind, count(*) AS events FROM identity.person_event
      WHERE run_id = (SELECT max(run_id) FROM ops.run) GROUP BY kind`);
    expect(told.persons).toEqual(
      Object.fromEntries(events.map(({ kind, events: number }) => [kind, number])),
    );
  });

  test('a shyer model takes a record away from its person', async () => {
    expect(await compare(withThresholds(60, 50))).toMatchObject({
      version_in_force: 1,
      version: 2,
      weighed: 4,
      links: { changed: 1, by: [{ before: 'model', after: 'single', to_another_person: true, mentions: 1 }] },
      persons: { split: 1 },
      examples: { links: [{ feed: 'social_insurance', source_key: 'S|110', after: { person_id: null } }] },
    });
  });

  test('the model in force changes nothing, also with its keys in another order', async () => {
    const none = { links: { changed: 0 }, persons: {}, reviews: { opened: 0, closed: 0 } };
    expect(await compare(inForce)).toMatchObject(none);
    expect(await compare({ ...inForce, blocking: [...inForce.blocking].reverse() })).toMatchObject(none);
  });

  test('the night after a change of models weighs again by itself, once, and touches no mention', async () => {
    const linksOfRun = () => county.query('SELECT t::text, xmin::text FROM identity.link t ORDER BY 1');
    const mentions = await county.query('SELECT t::text FROM identity.mention t ORDER BY 1');
    await nightWith(withThresholds(60, 50));
    const after = await linksOfRun();
    expect((await standing()).links[S]?.method).toBe('single');
    await nightWith(withThresholds(60, 50));
    expect(await linksOfRun()).toEqual(after);
    await nightWith(inForce);
    expect((await standing()).links[S]?.method).toBe('model');
    expect(await county.query('SELECT t::text FROM identity.mention t ORDER BY 1')).toEqual(mentions);
  });

  test('nothing is written', async () => {
    const before = await everything();
    await compare(withThresholds(60, 50));
    await compare({ ...withThresholds(-30, -40), blocking: inForce.blocking.slice(0, 2) });
    expect(await everything()).toEqual(before);
    expect((await standing()).links[S]?.method).toBe('model');
  });

  test('no more examples than asked for', async () => {
    const { links, examples } = await compare(withThresholds(-30, -40), 1);
    expect(links.changed).toBeGreaterThan(0);
    expect(examples.links).toHaveLength(1);
  });

  test('not while a run is at work', async () => {
    const run = await openRun(county.warehouse, TONIGHT, 'nightly');
    const busy = {
      code: 'RUN_IN_PROGRESS',
      message: expect.stringMatching(`run ${run.runId} for ${TONIGHT}`),
    };
    await expect(compare(inForce)).rejects.toMatchObject(busy);
    await run.close('done', null);
    await expect(compare(inForce)).resolves.toMatchObject({ weighed: 4 });
  });

  test('a run that begins meanwhile goes first', async () => {
    const begun = Promise.withResolvers<void>();
    const trial = tryOut(county.warehouse, async (_tx, inside) => {
      begun.resolve();
      await sql`SELECT pg_sleep(3600)`.execute(inside.db);
    });
    const refused = expect(trial).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS', message: /goes first/ });
    await begun.promise;
    const run = await openRun(county.warehouse, TONIGHT, 'nightly');
    await refused;
    await run.close('done', null);
  });

  test('another model is refused', async () => {
    await expect(compare({ ...inForce, model: 'febrl' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

test('before the first night there is nothing to compare with', async () => {
  await expect(compare(inForce)).rejects.toMatchObject({ code: 'MODEL_NO_DATA' });
});
