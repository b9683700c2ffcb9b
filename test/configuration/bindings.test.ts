import { copyFile, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../src/schema/configuration/load.ts';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import { useConfiguration } from './site.ts';

const site = useConfiguration();
const FILE = 'feeds/housing_ownership.yaml';

async function complaint(): Promise<string> {
  const error: unknown = await loadConfiguration(site.folder).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({ code: expect.stringMatching(/^CONFIG_/), exitCode: 2 });
  return error instanceof Error ? error.message : '';
}

test('the shipped configuration binds every contract, in the order of the contracts', async () => {
  const { bindings } = await loadConfiguration(site.folder);
  expect(bindings.map(({ feed }) => feed)).toEqual(CONTRACTS.map(({ feed }) => feed));
});

describe('a wrong binding is refused with file, line and what was expected', () => {
  test.each([
    [
      'an unknown feed',
      'feed: housing_ownership',
      'feed: housing',
      /feed: no contract is called housing; expected one of household_register/,
    ],
    ['an unknown format', 'format: csv', 'format: pdf', /format: .*"csv".*"xlsx"/],
    [
      'a delimiter of two characters',
      'delimiter: ","',
      'delimiter: "||"',
      /delimiter: expected one character/,
    ],
    ['an unknown encoding', 'encoding: utf-8', 'encoding: latin1', /encoding: .*gb18030/],
    ['a time that is a number', 'cut_off: "22:00"', 'cut_off: 2200', /cut_off: .*string/],
    ['a time that is none', '"22:00"', '"25:00"', /cut_off: expected a time of day HH:mm/],
    ['a key that nobody knows', 'control: required', 'controll: required', /[Uu]nrecognized key.*controll/],
    [
      'a field that the contract has not',
      '  floor_area:',
      '  flor_area:',
      /columns\.flor_area: the contract has no field flor_area; expected one of title_number/,
    ],
    [
      'a column bound twice',
      '建筑面积',
      '房屋地址',
      /columns\.floor_area: the source column 房屋地址 is bound twice/,
    ],
  ])('%s', async (_what, text, by, expected) => {
    const line = await site.replace(FILE, text, by);
    const message = await complaint();
    expect(message).toMatch(expected);
    // A key that is unknown is the fault of what holds it: the file.
    expect(message).toContain(`${site.file(FILE)}:${by.startsWith('controll') ? 1 : line}: `);
  });

  test('a required field without a column', async () => {
    await site.replace(FILE, '  owner_name: 权利人姓名\n', '');
    expect(await complaint()).toMatch(
      /housing_ownership\.yaml:\d+: columns: expected a source column for the required field owner_name/,
    );
  });

  test('all complaints of a file at once', async () => {
    await site.replace(FILE, 'format: csv', 'format: pdf');
    await site.replace(FILE, '"22:00"', '"25:00"');
    expect((await complaint()).split('\n')).toHaveLength(2);
  });

  test('text that is no YAML', async () => {
    const line = await site.replace(FILE, 'encoding: utf-8', 'encoding: [utf-8');
    const [, told] = /housing_ownership\.yaml:(\d+): not YAML/.exec(await complaint()) ?? [];
    expect(Number(told)).toBeGreaterThanOrEqual(line);
  });

  test('a second file for the same feed', async () => {
    await copyFile(site.file(FILE), site.file('feeds/zz.yaml'));
    expect(await complaint()).toContain('zz.yaml:1: housing_ownership is bound by another file too');
  });
});

describe('wrong settings are refused with file, line and what was expected', () => {
  test.each([
    ['a county without quotes', 'county: "620802"', 'county: 620802', /county: .*string/],
    ['a county of five digits', '"620802"', '"62080"', /county: expected the six digits/],
    ['a share beyond measure', 'rejected_percent: 5', 'rejected_percent: -5', /gates\.rejected_percent: /],
    [
      'a share in words',
      'rejected_percent: 5',
      'rejected_percent: five',
      /gates\.rejected_percent: .*number/,
    ],
  ])('%s', async (_what, text, by, expected) => {
    const line = await site.replace('popshare.yaml', text, by);
    const message = await complaint();
    expect(message).toMatch(expected);
    expect(message).toContain(`popshare.yaml:${line}: `);
  });

  test('a department that a feed needs is not named', async () => {
    await site.replace('popshare.yaml', '  housing:', '  houses:');
    expect(await complaint()).toMatch(/housing_\w+\.yaml:1: popshare\.yaml names no department housing/);
  });

  test('no settings, no folder', async () => {
    await rm(site.file('popshare.yaml'));
    expect(await complaint()).toMatch(/popshare\.yaml cannot be read/);
    await expect(loadConfiguration('/nowhere')).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  });
});
