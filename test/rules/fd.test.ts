import { describe, expect, test } from 'vitest';
import { death, fileOf, type Row, title } from '../support/drop.ts';
import { TOMORROW, TONIGHT, useRules } from './situation.ts';

const { county, night, openCases, run } = useRules();
const TITLES = 'housing_ownership';
const DEATHS = 'death_registration';

const titles = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => title(`Q${index}`, '王强'));
const deaths = (count: number, more: Row = {}): Row[] =>
  Array.from({ length: count }, (_, index) => death(`B${index}`, '王强', '01 08:00:00', more));

/** The open cases of a rule: feed and business date. */
const subjects = async (rule: string): Promise<string[]> =>
  (await openCases(rule)).map(({ subject }) => subject);

/** Sends bytes that are not what the binding writes, and runs the night. */
async function nightOf(
  rule: string,
  feed: string,
  bytes: Buffer,
  rows: number,
  date = TONIGHT,
): Promise<string[]> {
  await run(rule);
  await county.deliverBytes(feed, date, bytes, rows);
  await county.ingest(feed, date);
  return subjects(rule);
}

describe('FD01 nothing arrived', () => {
  test('found, anchored at feed and date; closes when the next delivery comes', async () => {
    await run('FD01');
    await county.ingest(TITLES, TONIGHT);
    expect(await openCases('FD01')).toMatchObject([
      { anchor: `${TITLES} 20261118`, subject: `${TITLES} 2026-11-18`, person_id: null },
    ]);
    expect(await night('FD01', { [TITLES]: titles(1) }, TOMORROW)).toEqual([]);
  });

  test('a delivery that came, also one without rows, is not missing', async () => {
    expect(await night('FD01', { [TITLES]: titles(1), [DEATHS]: [] })).toEqual([]);
  });
});

describe('FD02 an unusual number of rows', () => {
  test('a snapshot of less than four fifths, or of more than one and a half: found', async () => {
    await night('FD02', { [TITLES]: titles(10) });
    expect(await night('FD02', { [TITLES]: titles(7) }, TOMORROW)).toEqual([`${TITLES} 20261119`]);
    expect(await night('FD02', { [TITLES]: titles(16) }, '2026-11-20')).toEqual([`${TITLES} 20261120`]);
  });

  test('exactly four fifths: not found; nor is any number of an incremental feed', async () => {
    await night('FD02', { [TITLES]: titles(10), [DEATHS]: deaths(10) });
    expect(await night('FD02', { [TITLES]: titles(8), [DEATHS]: deaths(1) }, TOMORROW)).toEqual([]);
  });

  test.each(['release', 'refuse'] as const)('closes when an officer decides to %s it', async (decision) => {
    await night('FD02', { [TITLES]: titles(10) });
    const held = await county.send(TITLES, TOMORROW, titles(2));
    expect(await subjects('FD02')).toEqual([`${TITLES} 2026-11-19`]);
    await county.decide(held, decision);
    expect(await subjects('FD02')).toEqual([]);
  });
});

describe('FD03 another structure', () => {
  const file = (): string => fileOf(county.binding(TITLES), titles(1)).toString('utf8');

  test('a renamed column: found, with its likely new name', async () => {
    const renamed = Buffer.from(file().replace('权利人姓名', '权利人名称'));
    expect(await nightOf('FD03', TITLES, renamed, 1)).toEqual([`${TITLES} 2026-11-18`]);
    const [found] = await openCases('FD03');
    expect(found?.evidence).toMatchObject({
      missing: ['权利人姓名'],
      likely_renames: [{ from: '权利人姓名', to: '权利人名称' }],
    });
  });

  test('an extra column is accepted and noted, and no case', async () => {
    const [header, row] = file().split('\r\n');
    expect(await nightOf('FD03', TITLES, Buffer.from(`${header},备注\r\n${row},无\r\n`), 1)).toEqual([]);
    const noted = await county.query('SELECT rule, holds FROM ops.gate_finding');
    expect(noted).toEqual([{ rule: 'FD03', holds: false }]);
  });
});

describe('FD04 the same bytes again', () => {
  test('found until other bytes come', async () => {
    expect(await night('FD04', { [TITLES]: titles(1) })).toEqual([]);
    expect(await night('FD04', { [TITLES]: titles(1) }, TOMORROW)).toEqual([`${TITLES} 20261119`]);
    expect(await night('FD04', { [TITLES]: titles(2) }, '2026-11-20')).toEqual([]);
  });

  test('two empty files in a row are not a repetition', async () => {
    await night('FD04', { [DEATHS]: [] });
    expect(await night('FD04', { [DEATHS]: [] }, TOMORROW)).toEqual([]);
  });
});

describe('FD05 control totals that differ', () => {
  test.each([{ rows: 2 }, { sha256: '0'.repeat(64) }])('%o: found', async (control) => {
    await run('FD05');
    await county.send(TITLES, TONIGHT, titles(1), { control });
    expect(await subjects('FD05')).toEqual([`${TITLES} 2026-11-18`]);
  });

  test('totals that agree: not found', async () => {
    expect(await night('FD05', { [TITLES]: titles(1) })).toEqual([]);
  });
});

describe('FD07 bytes that are not text', () => {
  const broken = (rows: Row[]): Buffer => {
    const bytes = fileOf(county.binding(DEATHS), rows);
    bytes[bytes.lastIndexOf(Buffer.from('B0,')) + 1] = 0xff;
    return bytes;
  };

  test('found, whether the delivery is held or one row in two hundred is rejected', async () => {
    expect(await nightOf('FD07', DEATHS, broken(deaths(2)), 2)).toEqual([`${DEATHS} 2026-11-18`]);
    expect(await nightOf('FD07', DEATHS, broken(deaths(200)), 200, TOMORROW)).toEqual([
      `${DEATHS} 2026-11-19`,
    ]);
    const [latest] = await county.query('SELECT status FROM ops.delivery ORDER BY delivery_id DESC LIMIT 1');
    expect(latest).toEqual({ status: 'applied' });
  });

  test('text in the encoding of the feed, rare characters too: not found', async () => {
    expect(await night('FD07', { [DEATHS]: [death('B', '王𬍛', '01 08:00:00')] })).toEqual([]);
  });
});

describe('FD08 too many rejected rows', () => {
  const rejected = death('X', '王强', '01 08:00:00', { died_on: '20261332' });

  test('two rows of twenty: found', async () => {
    expect(
      await night('FD08', { [DEATHS]: [...deaths(18), rejected, { ...rejected, cremation_number: 'Y' }] }),
    ).toEqual([`${DEATHS} 20261118`]);
  });

  test('one row of twenty: not found', async () => {
    expect(await night('FD08', { [DEATHS]: [...deaths(19), rejected] })).toEqual([]);
  });
});
