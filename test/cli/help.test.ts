import { describe, expect, test } from 'vitest';
import { popshare } from './popshare.ts';

const COMMANDS = [
  [],
  ['migrate'],
  ['nightly'],
  ['backfill'],
  ['deliveries', 'list'],
  ['deliveries', 'release'],
  ['rejects', 'export'],
  ['status'],
  ['notices', 'test'],
  ['purge'],
  ['doctor'],
  ['synth'],
  ['model', 'compare'],
  ['reviews', 'decide'],
  ['match'],
  ['explain'],
  ['cases', 'list'],
  ['corrections', 'issue'],
  ['field-checks', 'ask'],
  ['rules', 'try'],
  ['indicators', 'show'],
  ['export'],
  ['audit', 'verify'],
  ['worker'],
  ['start'],
  ['user', 'add'],
  ['token', 'add'],
];

describe('--help', () => {
  test.each(COMMANDS.map((command) => [command.join(' ') || 'popshare', command] as const))(
    'explains %s, without a database',
    async (_name, command) => {
      const { code, stdout, stderr } = await popshare([...command, '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`Usage: ${['popshare', ...command].join(' ')}`);
    },
  );
});

describe('wrong usage ends with 2, nothing on stdout, and what is wrong on stderr', () => {
  test.each([
    ['an unknown command', ['tonight'], /unknown command 'tonight'/],
    ['an unknown option', ['nightly', '--date', '2026-11-18', '--fast'], /unknown option '--fast'/],
    ['a date that is missing', ['nightly'], /--date/],
    ['a date that is none', ['nightly', '--date', '2026-02-30'], /^USAGE: 2026-02-30 is not a date/],
    [
      'a delivery number that is none',
      ['deliveries', 'show', 'seven'],
      /^USAGE: seven is not a whole number/,
    ],
    ['a decision without a reason', ['deliveries', 'release', '1'], /--reason/],
    ['a folder without configuration', ['status'], /^CONFIG_NOT_FOUND: .*nowhere/],
  ])('%s', async (_what, args, told) => {
    const { code, stdout, stderr } = await popshare(args, { POPSHARE_CONFIG: 'nowhere' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(told);
  });
});

test('no command at all shows the help and ends with 2', async () => {
  const { code, stderr } = await popshare([]);
  expect(code).toBe(2);
  expect(stderr).toContain('Usage: popshare');
});
