import { beforeEach, expect, test } from 'vitest';
import { loadModel, type Model } from '../../../src/identity/model/model-file.ts';
import { trainOnWarehouse } from '../../../src/identity/model/warehouse-training.ts';
import { type TrainedModel, withWeights } from '../../../src/identity/model/weights.ts';
import { completeNameForms } from '../../../src/identity/name-forms.ts';
import { useCounty } from '../../support/drop.ts';

const county = useCounty('ingest', 'identity');
let model: Model;
beforeEach(async () => {
  const persons = await loadModel('persons', 'config');
  // What the mentions below tell.
  const told = ['name', 'birth', 'sex', 'document number', 'telephone'];
  const comparisons = persons.comparisons.filter(({ name }) => told.includes(name));
  model = { ...persons, comparisons, training: { ...persons.training, random_pairs: 100_000 } };
});

const PERSONS = 1500;
const SURNAMES = [...'王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗'];
const GIVEN = [...'伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚'];

/** How often what a mention says is not the person's own. */
const SLIPS = { sex: 0.03, birth: 0.05, phone: 0.15, number: 0.1 };

interface Mention {
  readonly source_key: string;
  readonly id_given: string | null;
  readonly id_kind: string;
  readonly id_number: string | null;
  readonly name: string;
  readonly sex: string;
  readonly birth_date: string;
  readonly phone: string;
}

/** Numbers between 0 and 1, always the same ones (Park & Miller 1988). */
function* dice(): Generator<number, never> {
  for (let state = 20261118; ; ) {
    state = (state * 48271) % 2147483647;
    yield state / 2147483647;
  }
}

/** Persons with one mention that has a number and, in turns, a second such mention or one without. */
function mentions(): Mention[] {
  const random = dice();
  const chance = (): number => random.next().value;
  const below = (most: number): number => Math.floor(chance() * most);
  const day = (): string => `${1950 + below(50)}-0${1 + below(9)}-${String(1 + below(28)).padStart(2, '0')}`;
  return Array.from({ length: PERSONS }, (_, at) => at).flatMap((at) => {
    const birth = day();
    const number = `620802${birth.replaceAll('-', '')}${String(at).padStart(4, '0')}`;
    const name = (SURNAMES[below(20)] ?? '') + (GIVEN[below(20)] ?? '') + (GIVEN[below(20)] ?? '');
    const sex = String(1 + below(2));
    const phone = `139${String(at).padStart(8, '0')}`;
    const said = (key: string, id: Pick<Mention, 'id_given' | 'id_kind' | 'id_number'>): Mention => ({
      source_key: `${key}${at}`,
      ...id,
      name,
      sex: chance() < SLIPS.sex ? String(3 - Number(sex)) : sex,
      birth_date: chance() < SLIPS.birth ? day() : birth,
      phone: chance() < SLIPS.phone ? `138${String(below(1e8)).padStart(8, '0')}` : phone,
    });
    const right = { id_given: number, id_kind: 'resident', id_number: number };
    const typed = chance() < SLIPS.number ? [...number].reverse().join('') : `${number.slice(0, 17)}?`;
    const wrong = { id_given: typed, id_kind: 'invalid', id_number: null };
    return [said('A', right), said('B', at % 2 === 0 ? right : wrong)];
  });
}

/** Writes mentions as an ingest would, and links those of a person as a night would. */
async function store(rows: readonly Mention[]): Promise<void> {
  await county.query(
    `INSERT INTO ops.run (business_date, purpose, status) VALUES ('2026-11-18', 'nightly', 'done')`,
  );
  await county.query(
    `INSERT INTO identity.mention (feed, role, changed_run, source_key, id_given, id_kind, id_number, name, sex, birth_date, phone)
     SELECT 'social_insurance', 'subject', 1, m.* FROM jsonb_to_recordset($1) AS m
       (source_key text, id_given text, id_kind text, id_number text, name text, sex text, birth_date date, phone text)`,
    [JSON.stringify(rows)],
  );
  await county.query(`
    INSERT INTO identity.link (mention_id, person_id, id_number, method, linked_run)
    SELECT mention_id, substr(source_key, 2)::bigint + 1, id_number, CASE WHEN id_number IS NULL THEN 'single' ELSE 'valid_id' END, 1
    FROM identity.mention`);
  await county.query('UPDATE identity.state SET reconciled_run = (SELECT max(run_id) FROM ops.run)');
  await completeNameForms(county.warehouse, 0);
}

async function train(seed = 1): Promise<TrainedModel> {
  return trainOnWarehouse(county.warehouse, { ...model, training: { ...model.training, seed } }, () => {});
}

function levels(trained: TrainedModel, comparison: string): { m: number; u: number }[] {
  const found = trained.comparisons.find(({ name }) => name === comparison);
  return (found?.levels ?? []).map(({ m, u }) => ({ m, u }));
}

test('training finds how often what persons say agrees, and how often it does by chance', async () => {
  await store(mentions());
  const trained = await train();

  const sex = (1 - SLIPS.sex) ** 2 + SLIPS.sex ** 2;
  expect(levels(trained, 'sex')[0]?.m).toBeCloseTo(sex, 1);
  expect(levels(trained, 'sex')[0]?.u).toBeCloseTo(0.5, 1);
  expect(levels(trained, 'telephone')[0]?.m).toBeCloseTo((1 - SLIPS.phone) ** 2, 1);
  expect(levels(trained, 'telephone')[0]?.u).toBeLessThan(0.0001);
  // The other mention has its number, which says the right day.
  expect(levels(trained, 'birth')[0]?.m).toBeCloseTo(1 - SLIPS.birth, 1);
  expect(levels(trained, 'birth')[0]?.u).toBeLessThan(0.001);
  expect(levels(trained, 'document number')[0]?.m).toBeCloseTo(1 - SLIPS.number, 1);
  expect(levels(trained, 'document number')[0]?.u).toBeLessThan(0.0001);
  expect(1 / trained.prior).toBeGreaterThan(PERSONS * 0.8);
  expect(1 / trained.prior).toBeLessThan(PERSONS * 1.3);
  for (const { levels: all } of trained.comparisons)
    for (const side of ['m', 'u'] as const)
      expect(all.reduce((sum, level) => sum + level[side], 0)).toBeCloseTo(1, 6);
});

test('it says what it learned from', async () => {
  await store(mentions());
  expect((await train()).trained).toMatchObject({
    data_until: '2026-11-18',
    seed: 1,
    mentions: 2 * PERSONS,
    without_number: PERSONS / 2,
    persons: PERSONS,
    known_pairs: PERSONS,
    random_pairs: 100_000,
  });
});

test('the same mentions give the same weights to the last bit, whatever their ids; another seed draws others', async () => {
  const rows = mentions();
  await store(rows);
  const first = await train();
  expect(await train()).toEqual(first);
  await county.empty();
  await store([...rows].reverse());
  expect(await train()).toEqual(first);
  const other = await train(2);
  expect(levels(other, 'sex')).not.toEqual(levels(first, 'sex'));
  expect(levels(other, 'sex')[0]?.u).toBeCloseTo(levels(first, 'sex')[0]?.u ?? 0, 1);
});

test('the links that a model made are not what it learns from', async () => {
  await store(mentions());
  const before = await train();
  await county.query('UPDATE identity.link SET person_id = 1 WHERE id_number IS NULL');
  expect(await train()).toEqual(before);
});

test('without mentions there is nothing to learn from', async () => {
  await expect(train()).rejects.toMatchObject({ code: 'MODEL_NO_DATA' });
  await store(mentions().filter(({ id_number }) => id_number !== null));
  await expect(train()).rejects.toMatchObject({
    code: 'MODEL_NO_DATA',
    message: /0 linked mentions without a number/,
  });
});

test('what no pair tells of keeps its weights', async () => {
  await store(mentions());
  const shipped = await loadModel('persons', 'config');
  model = { ...shipped, training: { ...shipped.training, random_pairs: 100_000 } };
  const trained = await train();
  for (const name of ['family', 'property', "the department's own number"]) {
    const given = shipped.comparisons.find((comparison) => comparison.name === name)?.levels ?? [];
    expect(levels(trained, name)).toEqual(given.map(({ m, u }) => ({ m, u })));
  }
  expect(levels(trained, 'sex')).not.toEqual(levels(withWeights(shipped), 'sex'));
});

test('a model of other columns asks for its files', async () => {
  model = await loadModel('febrl', 'config');
  await expect(train()).rejects.toMatchObject({ code: 'USAGE', message: /--input/ });
});

test('a comparison that no rule leaves free cannot be trained', async () => {
  await store(mentions());
  const onlyByNumber = { name: 'number', keys: ['right(coalesce(r.id_number, r.id_odd), 8)'] };
  model = { ...model, blocking: [onlyByNumber] };
  await expect(train()).rejects.toMatchObject({ code: 'MODEL_UNTRAINABLE', message: /document number/ });
});
