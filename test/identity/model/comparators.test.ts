import fc from 'fast-check';
import type { PoolClient } from 'pg';
import { expect, test } from 'vitest';
import { withWorkspace } from '../../../src/identity/link/workspace.ts';
import { useWarehouse } from '../../support/warehouse.ts';

const warehouse = useWarehouse();

async function evaluate(expression: string, ...values: unknown[]): Promise<unknown> {
  return withWorkspace(warehouse(), (client) => evaluateOn(client, expression, values));
}

async function evaluateOn(client: PoolClient, expression: string, values: unknown[]): Promise<unknown> {
  const { rows } = await client.query<{ value: unknown }>(`SELECT ${expression} AS value`, values);
  return rows[0]?.value;
}

// Winkler 1990 and its later tables.
test.each([
  ['martha', 'marhta', 0.9611],
  ['dixon', 'dicksonx', 0.8133],
  ['dwayne', 'duane', 0.84],
  ['jones', 'johnson', 0.8324],
  ['abc', 'xyz', 0],
  ['a', 'a', 1],
  ['王小明', '王小民', 0.8222],
])('jaro_winkler of %s and %s is %f', async (a, b, expected) => {
  expect(await evaluate('jaro_winkler($1, $2)', a, b)).toBeCloseTo(expected, 4);
  expect(await evaluate('jaro_winkler($1, $2)', b, a)).toBeCloseTo(expected, 4);
});

test('the quick answer of jaro_winkler_reaches is the one of jaro_winkler', async () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', '李'), minLength: 1, maxLength: 8 });
  await withWorkspace(warehouse(), (client) =>
    fc.assert(
      fc.asyncProperty(word, word, fc.double({ min: 0, max: 1, noNaN: true }), async (a, b, least) => {
        const same = await evaluateOn(
          client,
          'jaro_winkler_reaches($1::text, $2::text, $3::float8) = (jaro_winkler($1, $2) >= $3::float8)',
          [a, b, least],
        );
        expect(same).toBe(true);
      }),
      { numRuns: 300 },
    ),
  );
});

test.each([
  ['1804974', '1804974', true],
  ['1804974', '1804794', true],
  ['1804974', '180497', true],
  ['1804974', '18049745', true],
  ['1804974', '1804975', true],
  ['1804974', '1804479', false],
  ['1804974', '1084794', false],
])('one_slip of %s and %s is %s', async (a, b, expected) => {
  expect(await evaluate('one_slip($1::text, $2::text)', a, b)).toBe(expected);
});

test.each([
  ['20240229', '2024-02-29'],
  ['20230229', null],
  ['19175009', null],
  ['00000101', null],
  ['1990', null],
])('as_date of %s is %s', async (digits, expected) => {
  expect(await evaluate('as_date($1::text)', digits)).toBe(expected);
});

test('texts one edit apart share a deletion', async () => {
  expect(await evaluate('deletions($1::text) && deletions($2::text)', '1804974', '1804914')).toBe(true);
  expect(await evaluate('deletions($1::text) && deletions($2::text)', '1804974', '180974')).toBe(true);
  expect(await evaluate('deletions($1::text) && deletions($2::text)', '1804974', '1800014')).toBe(false);
  expect(await evaluate('deletions($1::text)', 'aab')).toEqual(['aab', 'ab', 'aa']);
});

test('words, long texts and what is missing', async () => {
  expect(await evaluate('sorted_words($1::text)', 'stanley  street 8')).toBe('8 stanley street');
  expect(await evaluate('edit_similarity(repeat($1, 400), repeat($1, 400))', '街')).toBe(1);
  expect(await evaluate('edits(NULL, $1::text, 1) <= 1', 'a')).toBeNull();
  expect(
    await evaluate(
      "soundex($1) = soundex($2) AND metaphone('knight', 4) = metaphone('night', 4)",
      'robert',
      'rupert',
    ),
  ).toBe(true);
});
