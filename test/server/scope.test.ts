import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import { type Client, useApi } from './api.ts';

const api = useApi();
const DEPARTMENTS = [...new Set(CONTRACTS.map(({ department }) => department))];

interface Scope {
  readonly division: string | null;
  readonly department: string | null;
}

/** A division of the sample of any level, or one that it has nothing of; and a department, or all of them. */
async function scopes(): Promise<fc.Arbitrary<Scope>> {
  const villages = await api.query<{ division: string }>(
    'SELECT DISTINCT division FROM anomalies.anomaly WHERE division IS NOT NULL ORDER BY 1',
  );
  const prefix = fc
    .tuple(fc.constantFrom(...villages.map(({ division }) => division)), fc.constantFrom(2, 4, 6, 9, 12))
    .map(([division, digits]) => division.slice(0, digits));
  return fc.record({
    division: fc.oneof(
      { weight: 6, arbitrary: prefix },
      { weight: 1, arbitrary: fc.constantFrom(null, '110101') },
    ),
    department: fc.oneof(fc.constant(null), fc.constantFrom(...DEPARTMENTS)),
  });
}

/** Every item of a list, page by page. */
async function allOf(client: Client, url: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let next: unknown = '';
  while (typeof next === 'string') {
    const page = await client.get(
      `${url}${url.includes('?') ? '&' : '?'}limit=200${next && `&after=${next}`}`,
    );
    expect(page.status, page.text).toBe(200);
    const found = page.at('items');
    if (Array.isArray(found)) items.push(...found);
    next = page.at('next');
  }
  return items;
}

/** What is in a scope, as the owner of the warehouse counts it, written apart from the policies. */
const inside = {
  case: (alias: string) => `
    ($1::text IS NULL OR ${alias}.division LIKE $1 || '%')
    AND ($2::text IS NULL OR ${alias}.department = $2 OR ${alias}.returned_to IS NOT DISTINCT FROM $2)`,
  person: `
    EXISTS (SELECT FROM identity.link l JOIN identity.mention m USING (mention_id) JOIN reference.feed f USING (feed)
            WHERE l.person_id = p.person_id AND m.active AND ($2::text IS NULL OR f.department = $2)
              AND ($1::text IS NULL OR m.division LIKE $1 || '%' OR m.registered_division LIKE $1 || '%'))
    OR ($2::text IS NULL AND ($1::text IS NULL OR EXISTS (
          SELECT FROM population.residence r WHERE r.person_id = p.person_id AND r.until IS NULL
            AND (r.living_division LIKE $1 || '%' OR r.registered_division LIKE $1 || '%'))))
    OR EXISTS (SELECT FROM anomalies.anomaly a
               WHERE a.person_id = p.person_id AND a.status IN ('new', 'assigned', 'returned')
                 AND ($1::text IS NULL OR a.division LIKE $1 || '%')
                 AND ($2::text IS NULL OR $2 IN (a.department, a.returned_to)))`,
};

test('whatever the scope, the queue has its cases, all of them and no other', async () => {
  await fc.assert(
    fc.asyncProperty(await scopes(), async ({ division, department }) => {
      const officer = await api.as({ role: 'officer', division, department });
      const cases = await allOf(officer, '/api/anomalies');
      const expected = await api.query<{ anomaly_id: number }>(
        `SELECT anomaly_id FROM anomalies.anomaly a
         WHERE severity <> 'info' AND status IN ('new', 'assigned', 'returned') AND ${inside.case('a')} ORDER BY 1`,
        [division, department],
      );
      expect(cases.map(({ anomaly_id }) => Number(anomaly_id)).sort((left, right) => left - right)).toEqual(
        expected.map(({ anomaly_id }) => anomaly_id),
      );
      const [other] = await api.query<{ anomaly_id: number }>(
        `SELECT anomaly_id FROM anomalies.anomaly a WHERE NOT coalesce(${inside.case('a')}, false) LIMIT 1`,
        [division, department],
      );
      if (other !== undefined)
        expect((await officer.get(`/api/anomalies/${other.anomaly_id}`)).status).toBe(404);
    }),
    { numRuns: 12 },
  );
});

test('whatever the scope, whoever is in it is shown, and nobody else; nor does a match name them', async () => {
  const persons = await api.query<{ person_id: number; id_number: string; name: string }>(
    'SELECT person_id, id_number, name FROM population.person WHERE id_number IS NOT NULL AND name IS NOT NULL',
  );
  await fc.assert(
    fc.asyncProperty(
      await scopes(),
      fc.uniqueArray(fc.constantFrom(...persons), { minLength: 3, maxLength: 3 }),
      async ({ division, department }, chosen) => {
        const officer = await api.as({ role: 'officer', division, department });
        for (const { person_id, id_number, name } of chosen) {
          const [{ seen } = { seen: false }] = await api.query<{ seen: boolean }>(
            `SELECT coalesce(${inside.person}, false) AS seen FROM population.person p WHERE person_id = $3`,
            [division, department, person_id],
          );
          const shown = await officer.get(`/api/persons/${person_id}?purpose=supervision`);
          expect(shown.status, `person ${person_id} for ${division} ${department}`).toBe(seen ? 200 : 404);
          const match = await officer.post('/api/match', { id_number, name, purpose: 'case' });
          if (match.at('best.person_id') === person_id) expect(seen).toBe(true);
          const unmask = { record: 'profile', field: 'name', purpose: 'case' };
          const value = await officer.post(`/api/persons/${person_id}/unmask`, unmask);
          expect(value.status).toBe(seen ? 200 : 404);
        }
      },
    ),
    { numRuns: 12 },
  );
});

test('whatever the scope, reviews, lists and checks have nothing from outside', async () => {
  await fc.assert(
    fc.asyncProperty(await scopes(), async ({ division, department }) => {
      const officer = await api.as({ role: 'supervisor', division, department });
      const reviews = (await allOf(officer, '/api/reviews')).map(({ review_id }) => review_id);
      const outside = await api.query(
        `SELECT review_id FROM identity.review r WHERE review_id = ANY ($3) AND NOT (
           ($1::text IS NULL OR EXISTS (
              SELECT FROM identity.link l JOIN identity.link o USING (person_id) JOIN identity.mention m ON m.mention_id = o.mention_id
              LEFT JOIN population.residence h ON h.person_id = l.person_id AND h.until IS NULL
              WHERE l.mention_id IN (r.left_mention, r.right_mention)
                AND (m.division LIKE $1 || '%' OR m.registered_division LIKE $1 || '%'
                     OR h.living_division LIKE $1 || '%' OR h.registered_division LIKE $1 || '%')))
           AND ($2::text IS NULL OR EXISTS (
              SELECT FROM identity.mention m JOIN reference.feed f USING (feed)
              WHERE m.mention_id IN (r.left_mention, r.right_mention) AND f.department = $2)))`,
        [division, department, reviews],
      );
      expect(outside).toEqual([]);
      for (const { department: of } of await allOf(officer, '/api/corrections'))
        if (department !== null) expect(of).toBe(department);
      const groups = await officer.get('/api/anomalies/groups');
      expect(groups.status, groups.text).toBe(200);
    }),
    { numRuns: 12 },
  );
});
