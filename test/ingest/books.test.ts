import { describe, expect, test } from 'vitest';
import { title, useCounty } from '../support/drop.ts';

const county = useCounty('ingest');

describe('the books', () => {
  test.each([['received'], ['accepted'], ['unchanged']])(
    'of an applied delivery cannot be written out of balance: %s',
    async (column) => {
      await county.send('housing_ownership', '2026-11-18', [title('A', '王强')]);
      await expect(county.query(`UPDATE ops.delivery SET ${column} = ${column} + 1`)).rejects.toMatchObject({
        constraint: expect.stringMatching(/^(received|accepted)_is_/),
      });
    },
  );

  test('count what is in the registry and its history', async () => {
    const [first, second] = ['2026-11-18', '2026-11-19'];
    await county.send(
      'housing_ownership',
      first,
      ['A', 'B', 'C', 'D', 'E'].map((key) => title(key, '王强')),
    );
    await county.send(
      'housing_ownership',
      second,
      ['A', 'B', 'C', 'D', 'F'].map((key) => title(key, key === 'A' ? '李娜' : '王强')),
    );
    const [counted] = await county.query(`
      SELECT sum(new) AS new, sum(changed) AS changed, sum(removed) AS removed,
             (SELECT count(*) FROM registry.housing_ownership) AS records,
             (SELECT count(*) FROM registry.housing_ownership_history) AS versions
      FROM ops.delivery`);
    expect(counted).toEqual({ new: 6, changed: 1, removed: 1, records: 5, versions: 2 });
    expect(await county.query('SELECT tablename FROM pg_tables WHERE schemaname = $1', ['stage'])).toEqual(
      [],
    );
  });
});
