import { expect, test } from 'vitest';
import { useApi } from './api.ts';

const api = useApi();
const TOWN = '620802001';

interface Known {
  readonly person_id: number;
  readonly id_number: string;
  readonly name: string;
  readonly birth_date: string;
  readonly sex: string;
}

/** A person of the household register, unknown to housing, whose number and name are known; in the town or not. */
async function somebody(inside: boolean): Promise<Known> {
  const [found] = await api.query<Known>(`
    SELECT p.person_id, p.id_number, p.name, p.birth_date, p.sex
    FROM population.person p JOIN identity.link l USING (person_id) JOIN identity.mention m USING (mention_id)
    LEFT JOIN population.residence r ON r.person_id = p.person_id AND r.until IS NULL
    WHERE p.id_number IS NOT NULL AND p.sex IS NOT NULL
    GROUP BY p.person_id, r.living_division, r.registered_division
    HAVING bool_or(m.feed = 'household_register') AND NOT bool_or(m.feed LIKE 'housing%')
       AND ${inside ? '' : 'NOT'} coalesce(bool_or(m.division LIKE '${TOWN}%') OR bool_or(m.registered_division LIKE '${TOWN}%')
             OR r.living_division LIKE '${TOWN}%' OR r.registered_division LIKE '${TOWN}%', false)
       AND NOT EXISTS (SELECT FROM anomalies.anomaly a WHERE a.person_id = p.person_id AND a.division LIKE '${TOWN}%')
    ORDER BY p.person_id LIMIT 1`);
  if (found === undefined) throw new Error('the sample has nobody like that');
  return found;
}

test('a number with its name finds the person, and the log has who asked, not what for', async () => {
  const { person_id, id_number, name } = await somebody(true);
  const officer = await api.as({ role: 'officer' });
  const match = await officer.post('/api/match', { id_number, name, purpose: 'case' });
  expect(match.status, match.text).toBe(200);
  expect(match.body).toMatchObject({
    outcome: 'found',
    best: { in_scope: true, person_id, method: 'number' },
  });
  const [entry] = await api.query('SELECT * FROM audit.entry ORDER BY entry_id DESC LIMIT 1');
  expect(entry).toMatchObject({
    actor: officer.name,
    action: 'match',
    subject: `person ${person_id}`,
    purpose: 'case',
  });
  expect(JSON.stringify(entry)).not.toContain(id_number);
});

test('without a number the fields are weighed, and the weight is explained', async () => {
  const { name, birth_date, sex } = await somebody(true);
  const officer = await api.as({ role: 'officer' });
  const match = await officer.post('/api/match', { name, birth_date, sex, purpose: 'case' });
  expect(['found', 'doubtful']).toContain(match.at('outcome'));
  expect(match.at('best')).toMatchObject({
    method: 'model',
    weight: expect.any(Number),
    explanation: expect.arrayContaining([
      expect.objectContaining({ comparison: 'prior', frequency_bits: expect.any(Number) }),
    ]),
  });
});

test('nobody is found for fields that nobody has', async () => {
  const officer = await api.as({ role: 'officer' });
  const match = await officer.post('/api/match', {
    name: '欧阳不存在',
    birth_date: '1901-01-01',
    purpose: 'case',
  });
  expect(match.body).toEqual({ outcome: 'none', best: null, second: null });
});

test('a person outside the scope is found, and not named', async () => {
  const { person_id, id_number, name } = await somebody(false);
  const officer = await api.as({ role: 'officer', division: TOWN });
  const match = await officer.post('/api/match', { id_number, name, purpose: 'case' });
  expect(match.at('best')).toEqual({ in_scope: false, note: 'outside your scope' });
  expect(match.text).not.toContain(String(person_id));
});

test('a department’s system gets persons with records of its own, and hears nothing of others', async () => {
  const { person_id, id_number, name } = await somebody(true);
  const own = await api.as({ role: 'department', department: 'public-security' });
  const other = await api.as({ role: 'department', department: 'housing' });
  const body = { id_number, name, purpose: 'correction' };
  expect((await own.post('/api/match', body)).body).toMatchObject({ outcome: 'found', best: { person_id } });
  expect((await other.post('/api/match', body)).body).toEqual({ outcome: 'none', best: null, second: null });
});

test.each([
  [{ purpose: 'case' }],
  [{ name: '王强' }],
  [{ name: '王强', birth_date: '2026-13-45', purpose: 'case' }],
  [{ name: '王强', ethnicity: '01', purpose: 'case' }],
  [{ name: 'x'.repeat(2000), purpose: 'case' }],
])('what is no set of identity fields is refused: %#', async (body) => {
  const officer = await api.as({ role: 'officer' });
  expect((await officer.post('/api/match', body)).body).toMatchObject({
    status: 400,
    code: 'REQUEST_INVALID',
  });
});

test.each(['viewer', 'operator', 'administrator', 'auditor', 'dashboard'] as const)(
  'a %s matches nobody',
  async (role) => {
    const client = await api.as({ role });
    expect((await client.post('/api/match', { name: '王强', purpose: 'case' })).status).toBe(403);
  },
);
