import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { PopshareError } from '../../src/schema/errors.ts';
import { failureOf } from '../../src/schema/failure.ts';
import { checkDigit } from '../../src/schema/standards/identity-number.ts';
import { inCounty } from '../cli/popshare.ts';
import { death, title, useCounty } from '../support/drop.ts';

const DATE = '2026-11-18';
const county = useCounty();
const popshare = inCounty(county);

/** A rule whose SELECT Postgres refuses, quoting what it cannot read. */
const ruleThatFails = (code: string, subject: string): string => `/*
rule: ${code}
title: { zh: 坏, en: Broken }
severity: low
owner: source
evaluates: everything
definition: none
resolved_by: nobody
*/
SELECT (${subject})::text AS subject, 'housing_ownership' AS feed, source_key, 'owner' AS role, NULL::bigint AS person_id,
       NULL AS division, '{}'::jsonb AS evidence
FROM registry.housing_ownership
`;

const idNumber = `62080219900101002${checkDigit('62080219900101002')}`;
const PERSONAL = {
  idNumber,
  name: '欧阳娜娜',
  phone: '13993300001',
  address: '崆峒区西大街9号',
  deceased: '慕容复',
  refused: '司马懿',
  other: '王强',
};

/** A night in which rows are applied and refused, and rules fail in every way that quotes a row. */
async function nightWithFailures(): Promise<{ code: number | null; stdout: string; log: string }> {
  const config = path.join(county.base, 'config');
  await cp('config', config, { recursive: true });
  const rules: Record<string, string> = {
    ZZ96: 'owner_name::int',
    ZZ97: `(owner_id_number || E'\\n' || owner_name)::date`,
    ZZ98: 'owner_id_number::bigint::int',
    ZZ99: 'no_such_column',
  };
  for (const [code, subject] of Object.entries(rules)) {
    await writeFile(path.join(config, 'rules', `${code}-broken.sql`), ruleThatFails(code, subject));
  }
  await county.deliver('housing_ownership', DATE, [
    title('T1', PERSONAL.name, { owner_id_number: PERSONAL.idNumber, dwelling_address: PERSONAL.address }),
    title('T2', PERSONAL.refused, { registered_on: PERSONAL.phone }),
    ...Array.from({ length: 48 }, (_, n) => title(`T${n + 3}`, PERSONAL.other)),
  ]);
  await county.deliver('death_registration', DATE, [death('D1', PERSONAL.deceased, '02 08:00:00')]);
  const { code, stdout, stderr } = await popshare(['nightly', '--date', DATE, '--json'], {
    POPSHARE_CONFIG: config,
    LOG_LEVEL: 'trace',
  });
  const log = stderr.split('\n').filter((line) => line.startsWith('{'));
  return { code, stdout, log: log.join('\n') };
}

describe('the log of a night', () => {
  test('tells of the run, its steps, deliveries and failures, and of no person', async () => {
    const { code, stdout, log } = await nightWithFailures();
    expect(code).toBe(1);
    const events = log.split('\n').map((line): Record<string, unknown> => JSON.parse(line));
    const told = events.map(({ msg }) => msg);
    for (const message of [
      'run begun',
      'step begun',
      'step done',
      'delivery processed',
      'step failed',
      'run ended',
    ])
      expect(told).toContain(message);
    expect(events).toContainEqual(
      expect.objectContaining({
        msg: 'delivery processed',
        feed: 'housing_ownership',
        received: 50,
        rejected: 1,
      }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({
        msg: 'step failed',
        subject: 'ZZ96',
        err: expect.objectContaining({
          code: 'RULE_FAILED',
          sqlstate: '22P02',
          message: expect.stringMatching(
            /ZZ96-broken\.sql: a value is not what it is read as: invalid input syntax for type integer: …$/,
          ),
        }),
      }),
    );
    for (const value of Object.values(PERSONAL)) {
      expect(log).not.toContain(value);
      expect(stdout).not.toContain(value);
    }
    expect(
      await county.query(`SELECT subject FROM ops.step WHERE status = 'failed' ORDER BY subject`),
    ).toHaveLength(4);
    const messages = JSON.stringify(await county.query('SELECT message FROM ops.step'));
    for (const value of Object.values(PERSONAL)) expect(messages).not.toContain(value);
  });

  test('is silent, at its ordinary level, about a night in order', async () => {
    await county.deliver('housing_ownership', DATE, [title('T1', '王强')]);
    const night = ['nightly', '--date', DATE, '--feed', 'housing_ownership', '--json'];
    for (const level of ['', 'warn', 'nonsense']) {
      const { code, stderr } = await popshare(night, { LOG_LEVEL: level });
      expect(code).toBe(0);
      expect(stderr).not.toContain('{');
    }
  });
});

describe('a failure', () => {
  test.each<[string, string, string]>([
    ['a value that is no number', `SELECT '王强'::int`, 'invalid input syntax for type integer: …'],
    ['a value of several lines', `SELECT E'王\n强'::date`, 'invalid input syntax for type date: …'],
    ['a number too large', `SELECT '620802199001010021'::int`, 'value …'],
    [
      'bytes that are no text',
      `SELECT convert_from('\\xe78e', 'UTF8')`,
      'invalid byte sequence for encoding …',
    ],
    ['JSON', `SELECT '{"name": 王强}'::jsonb`, 'invalid input syntax for type json'],
    ['what a function raises', `DO $$ BEGIN RAISE 'row 王强 is wrong'; END $$`, 'row …'],
    ['a table that is not there', 'SELECT FROM nothing', 'relation "nothing" does not exist'],
    [
      'a row that is there already',
      `INSERT INTO anomalies.rule_state VALUES ('王强', '', 1, '2026-01-01', 1), ('王强', '', 1, '2026-01-01', 1)`,
      'duplicate key value violates unique constraint "rule_state_pkey"',
    ],
  ])('of Postgres is told without values: %s', async (_what, statement, message) => {
    const error = await county.query(statement).catch((thrown: unknown) => thrown);
    expect(failureOf(error)).toMatchObject({ code: 'UNEXPECTED', sqlstate: expect.any(String), message });
    const cause = error instanceof Error ? error : new Error();
    const wrapped = new PopshareError('RULE_FAILED', `DQ01.sql: ${cause.message}`, { cause });
    expect(failureOf(wrapped)).toMatchObject({ code: 'RULE_FAILED', message: `DQ01.sql: ${message}` });
    expect(JSON.stringify([failureOf(error), failureOf(wrapped)])).not.toMatch(/王|强|e7|6208/);
  });

  test('of a parser is told without what it read', () => {
    const parse = (): unknown => JSON.parse('王强 13993300001');
    expect(parse).toThrow(/王强/);
    try {
      parse();
    } catch (error) {
      expect(JSON.stringify(failureOf(error))).not.toMatch(/王|强|1399/);
    }
  });

  test('of this house is told in full', () => {
    const message = 'config/feeds/户籍.yaml:3: "text" expected';
    expect(failureOf(new PopshareError('CONFIG_INVALID', message))).toMatchObject({
      message,
      sqlstate: null,
    });
  });
});
