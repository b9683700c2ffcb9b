import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkFiles, trainFiles } from '../../../src/identity/link/link.ts';
import { writeClusters, writePairs } from '../../../src/identity/link/write-output.ts';
import type { Model } from '../../../src/identity/model/model-file.ts';
import { useWarehouse } from '../../support/warehouse.ts';
import { copied, csv, peopleModel, person } from './people.ts';

const warehouse = useWarehouse();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'popshare-link-'));
});
afterAll(() => rm(folder, { recursive: true }));

const PERSONS = 400;
const numbers = Array.from({ length: PERSONS }, (_, at) => at + 1);

async function file(name: string, content: string | Buffer): Promise<string> {
  const full = path.join(folder, name);
  await writeFile(full, content);
  return full;
}

async function link(model: Model, ...files: string[]) {
  const notices: string[] = [];
  const result = await linkFiles({
    warehouse: warehouse(),
    model,
    files,
    notice: (text) => notices.push(text),
  });
  return { ...result, notices };
}

test('two clean lists match one to one, by a model that trains itself', async () => {
  const a = await file('a.csv', csv(numbers.map(person)));
  const b = await file('b.csv', csv([...numbers].reverse().map(copied)));
  const result = await link(peopleModel(), a, b);
  const { clusterOf, pairs, model } = result;
  for (const number of numbers) expect(clusterOf[PERSONS + PERSONS + 1 - number]).toBe(clusterOf[number]);
  expect(Math.max(...clusterOf)).toBe(PERSONS);
  expect(pairs.weight.length).toBe(PERSONS);
  expect(1 / model.prior).toBeGreaterThan(PERSONS * 0.9);
  expect(1 / model.prior).toBeLessThan(PERSONS * 1.2);

  const output = path.join(folder, 'o.csv');
  const outputPairs = path.join(folder, 'p.csv');
  await writeClusters(output, result);
  await writePairs(outputPairs, result);
  const lines = (await readFile(output, 'utf8')).trimEnd().split('\n');
  expect(lines.slice(0, 2)).toEqual(['input,row,cluster_id', `${a},1,1`]);
  expect(lines.at(-1)).toBe(`${b},${PERSONS},1`);
  const [header, first] = (await readFile(outputPairs, 'utf8')).split('\n');
  expect(header).toBe('left_input,left_row,right_input,right_row,weight,probability');
  expect(first?.split(',')).toEqual([
    a,
    expect.any(String),
    b,
    expect.any(String),
    expect.any(String),
    expect.any(String),
  ]);
});

test('one list is searched for duplicates', async () => {
  const rows = [...numbers.map(person), ...numbers.filter((number) => number % 2 === 0).map(copied)];
  const { clusterOf } = await link(peopleModel(), await file('both.csv', csv(rows)));
  expect(Math.max(...clusterOf)).toBe(PERSONS);
  for (const [at, number] of numbers.filter((n) => n % 2 === 0).entries())
    expect(clusterOf[PERSONS + 1 + at]).toBe(clusterOf[number]);
});

test('the same files give the same weights and clusters, to the last bit', async () => {
  const a = await file('once.csv', csv(numbers.map(person)));
  const b = await file('twice.csv', csv(numbers.map(copied)));
  const first = await link(peopleModel(), a, b);
  const second = await link(peopleModel(), a, b);
  expect(second).toEqual(first);
  const trained = await trainFiles({
    warehouse: warehouse(),
    model: peopleModel(),
    files: [a, b],
    notice: () => {},
  });
  expect(trained).toEqual(first.model);
});

test('when a list may hold a person twice, the model says so', async () => {
  const a = await file('clean.csv', csv(numbers.map(person)));
  const b = await file('unclean.csv', csv([...numbers.map(copied), person(5)]));
  const many = await link(peopleModel(), a, b);
  expect(many.clusterOf[2 * PERSONS + 1]).not.toBe(many.clusterOf[5]);
  const model = { ...peopleModel(), one_to_one: false };
  const { clusterOf } = await link(model, a, b);
  expect(clusterOf[2 * PERSONS + 1]).toBe(clusterOf[5]);
  expect(clusterOf[PERSONS + 5]).toBe(clusterOf[5]);
});

test('delimiter, encoding and compression are found; headings may be Chinese', async () => {
  const text = csv(numbers.map(person), '|').replace('name|born|phone|town', '姓名|born|phone|城镇');
  const other = csv(numbers.map(copied)).replace('name,born,phone,town', '姓名,born,phone,城镇');
  const model = peopleModel('name: text', 'name: { kind: text, header: 姓名 }');
  const headed = { ...model, columns: { ...model.columns, town: { kind: 'text' as const, header: '城镇' } } };
  const a = await file('gb.txt', iconv.encode(text, 'gb18030'));
  const b = await file('packed.csv.gz', gzipSync(other.replaceAll(',', '\t')));
  const { clusterOf } = await link(headed, a, b);
  for (const number of numbers) expect(clusterOf[PERSONS + number]).toBe(clusterOf[number]);
});

test('a key of too many records is capped, and that is told', async () => {
  const a = await file('crowd.csv', csv(numbers.map(person)));
  const model = peopleModel('keys: [r.name]', 'keys: ["1"], sort: r.phone');
  const capped = { ...model, block_limit: 20 };
  const { notices } = await link(capped, a);
  expect(notices).toEqual([
    'blocking rule "name": 1 keys have more than 20 records (the largest 400); each of their records is compared with the next 20 only',
  ]);
});

test('lists overlap, numbers differ by so much', async () => {
  const model = peopleModel();
  const weights = (m: number, u: number) => ({ m, u });
  const bought: Model = {
    ...model,
    columns: { tags: { kind: 'list', header: null }, size: { kind: 'number', header: null } },
    blocking: [{ name: 'all', keys: ['1'] }],
    comparisons: [
      {
        name: 'tags',
        of: ['tags'],
        levels: [
          { level: 'overlap', when: 'l.tags && r.tags', ...weights(0.9, 0.001) },
          { level: 'none', ...weights(0.1, 0.999) },
        ],
      },
      {
        name: 'size',
        of: ['size'],
        levels: [
          { level: 'near', when: 'abs(l.size - r.size) <= 2', ...weights(0.9, 0.01) },
          { level: 'far', ...weights(0.1, 0.99) },
        ],
      },
    ],
    prior: 0.01,
  };
  const a = await file('goods.csv', 'tags;size\nRed|big;10\nblue;11\nred;9.5\nred|blue;40\n;\n');
  const { clusterOf } = await link(bought, a);
  expect([...clusterOf.slice(1)]).toEqual([1, 2, 1, 3, 4]);
});

test.each([
  ['an empty file', '', /empty\.csv is empty/],
  ['a header alone', 'name,born,phone,town\n', /has a header and no rows/],
  ['a missing column', 'name,born,town\na,b,c\n', /has no column phone, which model people reads/],
  ['another header', 'name,born,phone,town,sex\na,b,c,d,e\n', /another header than .*: only it has sex/],
  ['a short row', 'name,born,phone,town\na,b,c,d\na,b\n', /data row 2/],
])('%s is refused', async (_, content, message) => {
  const good = await file('good.csv', csv(numbers.map(person)));
  const bad = await file('empty.csv', content);
  await expect(link(peopleModel(), good, bad)).rejects.toMatchObject({
    code: 'LINK_INPUT',
    message: expect.stringMatching(message),
  });
});

test('a file that is not there is refused', async () => {
  await expect(link(peopleModel(), path.join(folder, 'nowhere.csv'))).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
  });
});

test.each([
  [
    'a function that does not exist',
    'l.town = r.town',
    '"sounds_like(l.town, r.town)"',
    /comparison town: function sounds_like/,
  ],
  ['a value that does not fit', 'l.town = r.town', 'l.town::integer = 1', /SQLSTATE 22P02/],
  ['a blocking key', 'keys: [r.born]', 'keys: [r.age]', /blocking rule birth date: column r\.age/],
])('%s in the model is named', async (_, from, to, message) => {
  const good = await file('good.csv', csv(numbers.map(person)));
  await expect(link(peopleModel(from, to), good)).rejects.toMatchObject({
    code: 'MODEL_EXPRESSION',
    message: expect.stringMatching(message),
  });
});

test('nothing is left in the warehouse, also of what was abandoned', async () => {
  await warehouse().pool.query('CREATE SCHEMA linkage_0123456789abcdef');
  await link(peopleModel(), await file('last.csv', csv(numbers.map(person).concat(numbers.map(copied)))));
  const { rows } = await warehouse().pool.query(
    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'linkage%'",
  );
  expect(rows).toEqual([]);
});
