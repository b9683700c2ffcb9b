import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { SYNTH_FEEDS } from '../../src/synth/feeds/index.ts';
import { synthesise } from '../../src/synth/synthesise.ts';
import { deliveryPath, invent, readDelivery, table, temporaryFolder } from './county.ts';

const DATES = ['20261118', '20261119', '20261120'];
const feeds = SYNTH_FEEDS.map(({ name }) => name);

async function hashes(out: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    found[path.relative(out, file)] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  }
  return found;
}

async function control(out: string, feed: string, date: string): Promise<{ rows: number; sha256: string }> {
  const file = deliveryPath(out, feed, date).replace(/\.[a-z]+$/, '.ctl.json');
  return JSON.parse(await readFile(file, 'utf8'));
}

describe('the same options', () => {
  test('give the same bytes, and another seed gives others', async () => {
    const options = { persons: 1200, nights: 2, seed: 5 };
    const [first, second, other] = [
      await invent(options),
      await invent(options),
      await invent({ ...options, seed: 6 }),
    ];
    expect(await hashes(second)).toEqual(await hashes(first));
    const [one, another] = [await hashes(first), await hashes(other)];
    expect(Object.keys(another)).toEqual(Object.keys(one));
    expect(Object.keys(one).filter((file) => file.endsWith('.csv') && one[file] === another[file])).toEqual(
      [],
    );
  });
});

describe('options that cannot be', () => {
  test('a folder with something in it is left alone', async () => {
    const out = await temporaryFolder();
    await writeFile(path.join(out, 'kept.txt'), 'kept');
    await expect(synthesise({ persons: 10, nights: 1, seed: 1, out })).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
    expect(await readdir(out)).toEqual(['kept.txt']);
  });

  test.each([
    { persons: 0 },
    { persons: 1.5 },
    { nights: 0 },
    { seed: -1 },
    { county: '629999' },
    { firstDate: '2026-02-30' },
  ])('%j is wrong usage', async (wrong) => {
    const out = path.join(await temporaryFolder(), 'county');
    const options = { persons: 10, nights: 1, seed: 1, out, ...wrong };
    await expect(synthesise(options)).rejects.toMatchObject({ code: 'USAGE' });
    expect(existsSync(out)).toBe(false);
  });
});

test('another county has its own places', async () => {
  const out = await invent({ persons: 400, nights: 1, seed: 2, county: '440305' });
  const { records } = await readDelivery(out, 'household_register', '20261118');
  expect(records.size).toBeGreaterThan(200);
  for (const record of records.values()) {
    expect(record['registered_division']).toMatch(/^440305\d{6}$/);
    expect(record['registered_address']).toMatch(/^南山区/);
  }
});

describe('three nights', async () => {
  const progress: { night: number; feed: string; rows: number }[] = [];
  const out = await temporaryFolder();
  const result = await synthesise({
    persons: 4000,
    nights: 3,
    seed: 11,
    out,
    onProgress: (done) => progress.push(done),
  });
  const sent = await table(out, 'sent.tsv');

  test('every person is told once', async () => {
    const persons = await table(out, 'persons.tsv');
    expect(persons.map(([number]) => Number(number))).toEqual(
      Array.from({ length: 4000 }, (_, index) => index + 1),
    );
  });

  test('what is sent is in the files, all of it acceptable', async () => {
    for (const [night = '', feed = '', rows] of sent) {
      const delivery = await readDelivery(out, feed, DATES[Number(night) - 1] ?? '');
      expect({ feed, rows: delivery.rows, keys: delivery.records.size, rejected: delivery.rejected }).toEqual(
        {
          feed,
          rows: Number(rows),
          keys: Number(rows),
          rejected: 0,
        },
      );
    }
    expect(sent.filter(([night]) => night === '1').map(([, feed]) => feed)).toEqual(feeds);
    expect(sent.filter(([night]) => night === '2').map(([, feed]) => feed)).toEqual(feeds);
  });

  test('control files tell rows and sha256', async () => {
    for (const [night = '', feed = '', rows] of sent) {
      const date = DATES[Number(night) - 1] ?? '';
      const bytes = await readFile(deliveryPath(out, feed, date));
      expect(await control(out, feed, date)).toMatchObject({
        feed,
        rows: Number(rows),
        sha256: createHash('sha256').update(bytes).digest('hex'),
      });
    }
  });

  test('the second night changes about one row in a hundred and takes away one in a thousand', async () => {
    for (const feed of feeds) {
      const [, , rows, changed, gone] = sent.find(([night, name]) => night === '2' && name === feed) ?? [];
      const before = await readDelivery(out, feed, '20261118');
      const after = await readDelivery(out, feed, '20261119');
      const keys = [...after.records.keys()];
      const news = keys.filter(
        (key) => JSON.stringify(before.records.get(key)) !== JSON.stringify(after.records.get(key)),
      );
      const lost = [...before.records.keys()].filter((key) => !after.records.has(key));
      expect({ feed, changed: news.length }).toEqual({ feed, changed: Number(changed) });
      const isSnapshot = SYNTH_FEEDS.find(({ name }) => name === feed)?.mode === 'snapshot';
      if (isSnapshot) expect({ feed, gone: lost.length }).toEqual({ feed, gone: Number(gone) });
      else expect(rows).toBe(changed);
    }
    const changes = sent.filter(([night]) => night === '2').reduce((sum, row) => sum + Number(row[3]), 0);
    const all = sent.filter(([night]) => night === '1').reduce((sum, row) => sum + Number(row[2]), 0);
    expect(changes / all).toBeGreaterThan(0.005);
    expect(changes / all).toBeLessThan(0.02);
  });

  test('a change bears a newer time', async () => {
    const before = await readDelivery(out, 'household_register', '20261118');
    const after = await readDelivery(out, 'household_register', '20261119');
    for (const [key, record] of after.records) {
      const earlier = before.records.get(key);
      if (earlier === undefined || JSON.stringify(earlier) === JSON.stringify(record)) continue;
      expect(String(record['updated_at']) > String(earlier['updated_at'])).toBe(true);
    }
  });

  test('the last night carries the delivery faults that are planted', async () => {
    const planted = (await table(out, 'planted.tsv')).filter(([rule]) => rule?.startsWith('FD'));
    expect(planted.map(([rule, night, feed, date]) => [rule, night, feed, date]).sort()).toEqual([
      ['FD01', '3', 'housing_ownership', '20261120'],
      ['FD02', '3', 'subsistence_allowance', '20261120'],
      ['FD03', '3', 'school_enrolment', '20261120'],
      ['FD04', '3', 'marriage_registration', '20261120'],
      ['FD05', '3', 'social_insurance', '20261120'],
    ]);
    expect(existsSync(deliveryPath(out, 'housing_ownership', '20261120'))).toBe(false);

    const allowance = await readDelivery(out, 'subsistence_allowance', '20261119');
    const shrunken = await readDelivery(out, 'subsistence_allowance', '20261120');
    expect(Math.abs(shrunken.rows / allowance.rows - 0.4)).toBeLessThan(0.03);
    expect((await control(out, 'subsistence_allowance', '20261120')).rows).toBe(shrunken.rows);

    await expect(readDelivery(out, 'school_enrolment', '20261120')).rejects.toThrow(
      'missing 证件号码, extra 身份证件号',
    );

    const [marriages, repeated] = await Promise.all(
      ['20261119', '20261120'].map((date) => readFile(deliveryPath(out, 'marriage_registration', date))),
    );
    expect(repeated).toEqual(marriages);

    const insurance = await readFile(deliveryPath(out, 'social_insurance', '20261120'));
    const told = await control(out, 'social_insurance', '20261120');
    expect(told.rows).toBeGreaterThan(insurance.toString('latin1').split('\n').length * 1.5);
    expect(told.sha256).toBe(createHash('sha256').update(insurance).digest('hex'));
  });

  test('the caller is told of every file that arrives', () => {
    expect(progress).toHaveLength(3 * feeds.length - 1);
    expect(result).toEqual({
      files: progress.length,
      rows: progress.reduce((sum, { rows }) => sum + rows, 0),
    });
  });
});
