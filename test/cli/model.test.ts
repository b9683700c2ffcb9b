import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { insurance, register, residence, residentNumber, TONIGHT } from '../rules/situation.ts';
import { useCounty } from '../support/drop.ts';
import { type Ended, inCounty } from './popshare.ts';

const county = useCounty();
const inShipped = inCounty(county);
const phoneOf = (at: number): string => `1391290${String(4678 + at)}`;

/** A configuration of its own, because models are written into it. */
let config: string;
beforeEach(async () => {
  config = path.join(county.base, 'config');
  await cp('config', config, { recursive: true });
});

function popshare(...args: string[]): Promise<Ended> {
  return inShipped(args, { POPSHARE_CONFIG: config });
}

/** Twelve people in three registers; every second has no number, or a mistyped one, in one of them. */
async function aNight(): Promise<void> {
  const people = Array.from({ length: 12 }, (_, at) => ({
    id_number: residentNumber(`198001${10 + at}`, '001'),
    name: `王${'伟芳娜敏静丽强磊军洋勇艳'[at]}`,
    birth_date: `198001${10 + at}`,
  }));
  const typed = ({ id_number }: { id_number: string }, at: number): string =>
    at % 4 === 0
      ? ''
      : at % 4 === 2
        ? `${id_number.slice(0, 16)}${(Number(id_number[16]) + 1) % 10}${id_number[17]}`
        : id_number;
  const feeds = {
    household_register: people.map((person, at) => register(`H${at}`, { ...person, phone: phoneOf(at) })),
    residence_registration: people.map((person, at) =>
      residence(`J${at}`, { ...person, phone: phoneOf(at) }),
    ),
    social_insurance: people.map((person, at) =>
      insurance(`S${at}`, { ...person, id_number: typed(person, at), phone: phoneOf(at) }),
    ),
  };
  for (const [feed, rows] of Object.entries(feeds)) await county.deliver(feed, TONIGHT, rows);
  expect(await county.night(TONIGHT, Object.keys(feeds))).toMatchObject({ status: 'done' });
}

/** Leaves out the department's own number, in which only strangers differ here; and draws fewer pairs for so few people. */
async function forFewPeople(): Promise<void> {
  const file = path.join(config, 'linkage/persons.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(
    file,
    text
      .replace(/ {2}- name: the department's own number\n(?: {4}.*\n)+/, '')
      .replace('random_pairs: 1000000', 'random_pairs: 1000'),
  );
}

describe('after a night', () => {
  beforeEach(async () => {
    await aNight();
    await forFewPeople();
  });

  test('a trained model waits beside that in force, until it is compared and put in force', async () => {
    const inForce = await readFile(path.join(config, 'linkage/persons.yaml'), 'utf8');
    const trained = await popshare('model', 'train', '--model', 'persons');
    expect(trained).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/persons\.v2\.yaml: version 2\n$/),
    });
    expect(await readFile(path.join(config, 'linkage/persons.yaml'), 'utf8')).toBe(inForce);
    const written = await readFile(path.join(config, 'linkage/persons.v2.yaml'), 'utf8');
    expect(written).toMatch(/^version: 2$/m);
    expect(written).toMatch(/data_until: 2026-11-18/);
    expect(written).toContain('# Only pairs whose names are compatible');
    expect((await popshare('model', 'show', 'persons.v2')).stdout).toMatch(
      /persons, version 2; .*\n.*\n {2}data_until: 2026-11-18/,
    );

    const compared = await popshare(
      'model',
      'compare',
      '--model',
      'persons',
      '--with',
      'persons.v2',
      '--json',
    );
    expect(JSON.parse(compared.stdout)).toMatchObject({
      version_in_force: 1,
      version: 2,
      weighed: 6,
      persons: {},
    });
    const again = await popshare('model', 'train', '--model', 'persons', '--write');
    expect(again.stdout).toMatch(/persons\.yaml: version 3\n$/);
    const now = await readFile(path.join(config, 'linkage/persons.yaml'), 'utf8');
    expect(now.replace('version: 3', 'version: 2')).toBe(written);
  });

  test('comparing names the records, and says no name and no number of a person', async () => {
    const text = await readFile(path.join(config, 'linkage/persons.yaml'), 'utf8');
    await writeFile(
      path.join(config, 'linkage/persons.v2.yaml'),
      text.replace('version: 1', 'version: 2').replace('{ join: 2, split: -2 }', '{ join: 90, split: 80 }'),
    );
    const { code, stdout } = await popshare('model', 'compare', '--model', 'persons', '--with', 'persons.v2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^persons: version 2 in place of 1, 6 mentions without a number weighed\n/);
    expect(stdout).toMatch(/links: 6 would change/);
    expect(stdout).toMatch(
      /social_insurance S0\|110 subject: person \d+ by model, .* → a new person by single/,
    );
    expect(stdout).not.toMatch(/王|62080\d{13}|139129/);
  });
});

test.each([
  ['CONFIG_NOT_FOUND', ['compare', '--model', 'persons', '--with', 'persons.v9']],
  ['MODEL_UNTRAINED', ['compare', '--model', 'persons', '--with', 'febrl']],
  ['MODEL_NO_DATA', ['compare', '--model', 'persons', '--with', 'persons']],
  ['MODEL_NO_DATA', ['train', '--model', 'persons']],
  ['USAGE', ['train', '--model', 'febrl']],
  ['CONFIG_NOT_FOUND', ['train', '--model', 'nobody']],
])('%s: model %s', async (code, args) => {
  const ended = await popshare('model', ...args);
  expect(ended).toMatchObject({ stdout: '', stderr: expect.stringMatching(`(^|\n)${code}: `) });
  expect(ended.code).toBeGreaterThan(0);
});
