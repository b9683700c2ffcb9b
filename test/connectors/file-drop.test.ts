import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Arrival, FeedSource } from '../../src/connectors/connector.ts';
import { fileDrop } from '../../src/connectors/file-drop.ts';

const fixtures = new URL('../fixtures/deliveries/', import.meta.url);
const DATE = '2026-11-18';
const deaths: FeedSource = {
  feed: 'death_registration',
  department: 'civil-affairs',
  extensions: ['csv', 'xlsx'],
  control: 'required',
};
const lenient: FeedSource = { ...deaths, control: 'optional' };

let base: string;
let root: string;
let folder: string;

beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'file-drop-'));
  root = path.join(base, 'drop');
  folder = path.join(root, 'civil-affairs');
  await mkdir(folder, { recursive: true });
});

afterEach(() => rm(base, { recursive: true }));

/** Puts a file that was last written `age` seconds ago. */
async function put(name: string, content: string, age = 60): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, content);
  const at = Date.now() / 1000 - age;
  await utimes(file, at, at);
  return file;
}

function control(content: Record<string, unknown> = {}): string {
  return JSON.stringify({
    feed: deaths.feed,
    rows: 1,
    sha256: 'AB'.repeat(32),
    generated_at: null,
    ...content,
  });
}

async function ready(feed: FeedSource): Promise<Arrival> {
  const finding = await fileDrop(root).find(feed, DATE);
  if (finding.kind !== 'ready') throw new Error(JSON.stringify(finding));
  return finding.arrival;
}

async function bytesOf(arrival: Arrival): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await arrival.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('file drop', () => {
  it('finds a delivery of the sample with its control file, and opens it as often as asked', async () => {
    await cp(fixtures, root, { recursive: true });
    const arrival = await ready(deaths);
    expect(arrival).toMatchObject({
      feed: 'death_registration',
      businessDate: DATE,
      sourceName: 'civil-affairs/death_registration_20261118.csv',
      extension: 'csv',
      control: { feed: 'death_registration', rows: 190, generatedAt: '2026-11-18T12:00:00.000Z' },
    });
    for (let time = 0; time < 2; time += 1) {
      const sha256 = createHash('sha256')
        .update(await bytesOf(arrival))
        .digest('hex');
      expect(sha256).toBe(arrival.control?.sha256);
    }
  });

  it('says what it looked for when nothing is there', async () => {
    const looked_for = 'civil-affairs/death_registration_20261118.{csv,csv.gz,xlsx,xlsx.gz}';
    expect(await fileDrop(root).find(deaths, DATE)).toEqual({ kind: 'absent', looked_for });
    await rm(folder, { recursive: true });
    expect(await fileDrop(root).find(deaths, DATE)).toEqual({ kind: 'absent', looked_for });
  });

  it('takes the first extension of the binding, packed or not', async () => {
    for (const name of ['xlsx.gz', 'xlsx', 'csv.gz', 'csv']) {
      await put(`death_registration_20261118.${name}`, 'x');
      expect(await ready(lenient)).toMatchObject({ extension: name, control: null });
    }
  });

  it('waits for a control file that is required', async () => {
    await put('death_registration_20261118.csv', 'a\n1\n');
    expect(await fileDrop(root).find(deaths, DATE)).toMatchObject({ kind: 'not_ready' });
    await put('death_registration_20261118.ctl.json', `\ufeff${control()}`);
    expect((await ready(deaths)).control).toEqual({
      feed: deaths.feed,
      rows: 1,
      sha256: 'ab'.repeat(32),
      generatedAt: null,
    });
  });

  it('says what is wrong with a control file, required or not', async () => {
    await put('death_registration_20261118.csv', 'a\n1\n');
    const broken: [string, RegExp][] = [
      ['', /JSON/],
      ['{"feed":"death_reg', /JSON/],
      ['[]', /有误/],
      [control({ rows: -1 }), /rows/],
      [control({ rows: '1' }), /rows/],
      [control({ sha256: 'abc' }), /sha256/],
      [control({ feed: 'birth_certificate' }), /birth_certificate/],
      [' '.repeat(100_000), /控制文件/],
    ];
    for (const [text, reason] of broken) {
      await put('death_registration_20261118.ctl.json', text);
      for (const feed of [deaths, lenient]) {
        const finding = await fileDrop(root).find(feed, DATE);
        expect(finding).toEqual({ kind: 'not_ready', reason: expect.stringMatching(reason) });
      }
    }
  });

  it('leaves a file alone that may still be being written', async () => {
    await put('death_registration_20261118.csv', 'a\n1\n', 3);
    expect(await fileDrop(root).find(lenient, DATE)).toMatchObject({ kind: 'not_ready' });
    expect(await fileDrop(root, 2).find(lenient, DATE)).toMatchObject({ kind: 'ready' });
    await put('death_registration_20261118.csv', '', 3600);
    expect(await fileDrop(root).find(lenient, DATE)).toMatchObject({ kind: 'not_ready' });
    // A control file says that the file is complete, an empty one too.
    await put('death_registration_20261118.ctl.json', control({ rows: 0 }));
    expect(await fileDrop(root).find(lenient, DATE)).toMatchObject({ kind: 'ready' });
  });

  it('does not read what is no file', async () => {
    await mkdir(path.join(folder, 'death_registration_20261118.csv'));
    expect(await fileDrop(root).find(lenient, DATE)).toMatchObject({ kind: 'not_ready' });
  });

  it('refuses names and links that lead out of the root', async () => {
    const outside = { code: 'PATH_OUTSIDE_ROOT' };
    await writeFile(path.join(base, 'death_registration_20261118.csv'), 'secret');
    for (const feed of [
      { ...lenient, department: '..' },
      { ...lenient, department: '.' },
      { ...lenient, department: '' },
      { ...lenient, department: 'a/../..' },
      { ...lenient, feed: '../../death_registration' },
      { ...lenient, extensions: ['csv/../x'] },
    ]) {
      await expect(fileDrop(root).find(feed, DATE)).rejects.toMatchObject(outside);
    }
    const name = 'death_registration_20261118';
    await symlink(path.join(base, `${name}.csv`), path.join(folder, `${name}.csv`));
    await expect(fileDrop(root).find(lenient, DATE)).rejects.toMatchObject(outside);
    await rm(path.join(folder, `${name}.csv`));
    await put(`${name}.csv`, 'a\n1\n');
    await symlink(path.join(base, `${name}.csv`), path.join(folder, `${name}.ctl.json`));
    await expect(fileDrop(root).find(lenient, DATE)).rejects.toMatchObject(outside);
    await symlink(base, path.join(root, 'linked'));
    await expect(fileDrop(root).find({ ...lenient, department: 'linked' }, DATE)).rejects.toMatchObject(
      outside,
    );
  });

  it('follows links that stay inside, and a root that is one', async () => {
    await put('real.csv', 'a\n1\n');
    await symlink('real.csv', path.join(folder, 'death_registration_20261118.csv'));
    await symlink(root, path.join(base, 'link'));
    const finding = await fileDrop(path.join(base, 'link')).find(lenient, DATE);
    expect(finding.kind).toBe('ready');
    expect((await bytesOf(await ready(lenient))).toString()).toBe('a\n1\n');
  });

  it('refuses a file that is exchanged for a link, or goes away, before it is opened', async () => {
    const file = await put('death_registration_20261118.csv', 'a\n1\n');
    const arrival = await ready(lenient);
    await rename(file, path.join(base, 'elsewhere'));
    await expect(arrival.open()).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    await symlink(path.join(base, 'elsewhere'), file);
    await expect(arrival.open()).rejects.toMatchObject({ code: 'PATH_OUTSIDE_ROOT' });
  });

  it('says that the root is missing', async () => {
    await expect(fileDrop(path.join(base, 'none')).find(deaths, DATE)).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
    });
  });
});
