import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { NightlyReport } from '../../src/jobs/nightly.ts';
import { insurance, register, residentNumber, TONIGHT } from '../rules/situation.ts';
import { useCounty } from '../support/drop.ts';
import { personsOf } from './persons.ts';

const county = useCounty('ingest', 'identity');
const AGENT = '13912904678';
const LIMIT = 3;

beforeEach(async () => {
  const folder = path.join(county.base, 'config');
  const file = path.join(folder, 'linkage', 'persons.yaml');
  await cp('config', folder, { recursive: true });
  const model = await readFile(file, 'utf8');
  await writeFile(file, model.replace(/^block_limit: .*$/m, `block_limit: ${LIMIT}`));
  await county.configure(folder);
});

/** Registered persons of these names, and an insured one of whom the name and the telephone are known: all with one telephone. */
async function nightOf(names: readonly string[], insured: string): Promise<NightlyReport> {
  const registered = names.map((name, at) =>
    register(`H${at}`, {
      name,
      id_number: residentNumber('19800101', `${100 + 2 * at + 1}`),
      phone: AGENT,
    }),
  );
  const unknown = { id_number: '', birth_date: '', name: insured, phone: AGENT };
  await county.deliver('household_register', TONIGHT, registered);
  await county.deliver('social_insurance', TONIGHT, [insurance('S', unknown)]);
  return county.night(TONIGHT, ['household_register', 'social_insurance']);
}

test('under a key that is too large those still meet whose names sound the same', async () => {
  const { identity } = await nightOf(['王强', '李娜', '赵敏', '陈刚', '刘洋'], '赵民');
  const persons = await personsOf(county);
  expect(persons['social_insurance S|110 subject']).toBe(persons['household_register H2 subject']);
  expect(identity.crowded_keys).toEqual([
    { rule: 'telephone', keys: 1, mentions: 6, left_out_keys: 0, left_out_mentions: 0 },
  ]);
});

test('what is too large even so is left out and counted', async () => {
  const { identity } = await nightOf(['王强', '王强', '王强', '王强', '李娜'], '王强');
  expect(identity.links).toMatchObject({ single: 1 });
  expect(identity.crowded_keys).toEqual([
    { rule: 'telephone', keys: 1, mentions: 6, left_out_keys: 1, left_out_mentions: 5 },
  ]);
});

test('where no key is too large, nothing is told', async () => {
  const { identity } = await nightOf(['王强'], '王强');
  expect(identity.crowded_keys).toEqual([]);
});

test('a night without changes repeats what the last reconciliation told', async () => {
  const { identity } = await nightOf(['王强', '李娜', '赵敏', '陈刚', '刘洋'], '赵敏');
  const later = await county.night('2026-11-19', ['social_insurance']);
  expect(later.identity.crowded_keys).toEqual(identity.crowded_keys);
});
