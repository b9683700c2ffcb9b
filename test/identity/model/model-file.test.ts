import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { columnsRead, loadModel } from '../../../src/identity/model/model-file.ts';
import { writeWeights } from '../../../src/identity/model/model-write.ts';
import { hasWeights, withWeights } from '../../../src/identity/model/weights.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'popshare-model-'));
});
afterAll(() => rm(folder, { recursive: true }));

const GOOD = `model: people
version: 3
columns:
  surname: text
  born: { kind: date, header: 出生日期 }
features:
  initial: left(r.surname, 1)
blocking:
  - { name: initial, keys: [r.initial] } # the first letter
comparisons:
  - name: surname
    of: [surname]
    levels:
      - { level: equal, when: l.surname = r.surname }
      - { level: different }
thresholds: { join: 10, split: 4 }
`;

async function load(text: string) {
  const file = path.join(folder, 'people.yaml');
  await writeFile(file, text);
  return loadModel(file, 'config');
}

test('a model is read from a path, and the shipped one by its name', async () => {
  const people = await load(GOOD);
  expect(people.thresholds).toEqual({ join: 10, split: 4, report: 4 });
  expect(people.columns['born']).toEqual({ kind: 'date', header: '出生日期' });
  const febrl = await loadModel('febrl', 'config');
  expect(hasWeights(febrl)).toBe(true);
});

test('a feature stands for the columns that it reads', async () => {
  const people = await load(GOOD);
  expect([...columnsRead(people, 'l.initial = r.initial AND l.born < r.born')]).toEqual(['surname', 'born']);
});

test.each([
  ['an unknown key', 'version: 3', 'version: 3\ncolour: red', /people\.yaml:1: .*colour/],
  ['an unknown column', 'of: [surname]', 'of: [name]', /people\.yaml:\d+: comparisons\.0: name is no column/],
  ['an unknown kind', 'surname: text', 'surname: words', /people\.yaml:4: columns\.surname/],
  ['a last level with a condition', '{ level: different }', '{ level: b, when: "true" }', /people\.yaml:15/],
  [
    'a second statement',
    'l.surname = r.surname',
    '"true; DROP TABLE x"',
    /people\.yaml:14: .*one SQL expression/,
  ],
  [
    'half the weights',
    'level: different',
    'level: different, m: 0.1, u: 0.9',
    /either all levels have m and u/,
  ],
  ['a split above the join', 'split: 4', 'split: 40', /people\.yaml:16: thresholds/],
  ['another name', 'model: people', 'model: persons', /not the file's name/],
  [
    'a feature that reads a later one',
    'left(r.surname, 1)',
    'left(r.later, 1)',
    /features\.initial: r\.later/,
  ],
])('%s is refused, naming the line', async (_, from, to, message) => {
  await expect(load(GOOD.replace(from, to))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(message),
  });
});

test('weights are written into the file as its next version; comments stay', async () => {
  const people = await load(GOOD);
  const file = path.join(folder, 'people.yaml');
  const weights = [
    { m: 0.9, u: 0.01 },
    { m: 0.1, u: 0.99 },
  ];
  const comparisons = people.comparisons.map((comparison) => ({
    ...comparison,
    levels: comparison.levels.map((level, at) => ({ ...level, ...weights[at] })),
  }));
  await writeWeights(file, withWeights({ ...people, comparisons }, 0.001));
  const again = await loadModel(file, 'config');
  expect(again.version).toBe(4);
  expect(again.prior).toBeUndefined();
  expect(again.comparisons[0]?.levels.map(({ m, u }) => ({ m, u }))).toEqual(weights);
  expect(await readFile(file, 'utf8')).toContain('# the first letter');
});
