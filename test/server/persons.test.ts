import { expect, test } from 'vitest';
import { useApi } from './api.ts';
import { FULL_VALUE } from './files.ts';

const api = useApi();
const TOWN = '620802001';
const WHY = '?purpose=supervision';

/** Somebody who is registered in the town and is in the household register, and somebody who has nothing to do with it. */
async function people(): Promise<{ inside: number; outside: number; key: string; phone: string | null }> {
  const [inside] = await api.query<{ person_id: number; source_key: string; phone: string | null }>(`
    SELECT l.person_id, m.source_key, r.phone
    FROM identity.link l JOIN identity.mention m USING (mention_id) JOIN registry.household_register r USING (source_key)
    JOIN population.person p USING (person_id)
    WHERE m.feed = 'household_register' AND m.active AND r.registered_division LIKE '${TOWN}%' AND r.phone ~ '^1\\d{10}$'
      AND p.id_number IS NOT NULL
    ORDER BY l.person_id LIMIT 1`);
  const [outside] = await api.query<{ person_id: number }>(`
    SELECT p.person_id FROM population.person p
    WHERE NOT EXISTS (SELECT FROM identity.link l JOIN identity.mention m USING (mention_id) WHERE l.person_id = p.person_id
                        AND (m.division LIKE '${TOWN}%' OR m.registered_division LIKE '${TOWN}%'))
      AND NOT EXISTS (SELECT FROM population.residence r WHERE r.person_id = p.person_id
                        AND (r.living_division LIKE '${TOWN}%' OR r.registered_division LIKE '${TOWN}%'))
      AND NOT EXISTS (SELECT FROM anomalies.anomaly a WHERE a.person_id = p.person_id AND a.division LIKE '${TOWN}%')
    ORDER BY p.person_id LIMIT 1`);
  return {
    inside: inside?.person_id ?? 0,
    outside: outside?.person_id ?? 0,
    key: inside?.source_key ?? '',
    phone: inside?.phone ?? null,
  };
}

const lastEntry = async () =>
  (
    await api.query('SELECT actor, action, subject, purpose FROM audit.entry ORDER BY entry_id DESC LIMIT 1')
  )[0];

test('a person is shown masked, with records under the headings of their contracts; the look is in the log', async () => {
  const { inside, key } = await people();
  const officer = await api.as({ role: 'officer', division: TOWN });
  const shown = await officer.get(`/api/persons/${inside}${WHY}`);
  expect(shown.status, shown.text).toBe(200);
  expect(shown.text).not.toMatch(FULL_VALUE);
  expect(shown.at('profile.id_number')).toMatch(/^\d{4}\*+[\dX]{4}$/);
  expect(shown.at('records')).toContainEqual(
    expect.objectContaining({
      feed: 'household_register',
      source_key: key,
      title: { zh: '户籍登记', en: 'Household register' },
      roles: [expect.objectContaining({ role: 'subject', method: expect.any(String) })],
      fields: expect.arrayContaining([
        {
          field: 'id_number',
          label: { zh: '公民身份号码', en: 'Citizen identity number' },
          value: expect.stringContaining('*'),
          masked: true,
        },
      ]),
    }),
  );
  expect(shown.at('events.0')).toMatchObject({ kind: 'created', person_id: inside });
  expect(await lastEntry()).toEqual({
    actor: officer.name,
    action: 'look',
    subject: `person ${inside}`,
    purpose: 'supervision',
  });
});

test('a look asks for a purpose; a person outside the scope is as unknown as one that never was', async () => {
  const { inside, outside } = await people();
  const officer = await api.as({ role: 'officer', division: TOWN });
  expect((await officer.get(`/api/persons/${inside}`)).status).toBe(400);
  expect((await officer.get(`/api/persons/${inside}?purpose=curiosity`)).status).toBe(400);
  const [hidden, never] = [
    await officer.get(`/api/persons/${outside}${WHY}`),
    await officer.get(`/api/persons/999999999${WHY}`),
  ];
  expect(hidden.body).toMatchObject({ status: 404, code: 'PERSON_UNKNOWN' });
  expect(never.body).toMatchObject({ status: 404, code: 'PERSON_UNKNOWN' });
  const county = await api.as({ role: 'officer' });
  expect((await county.get(`/api/persons/${outside}${WHY}`)).status).toBe(200);
});

test.each(['viewer', 'operator', 'administrator', 'auditor', 'dashboard', 'department'] as const)(
  'a %s sees no person',
  async (role) => {
    const client = await api.as({ role, department: role === 'department' ? 'housing' : null });
    expect((await client.get(`/api/persons/1${WHY}`)).status).toBe(403);
    const body = { record: 'profile', field: 'phone', purpose: 'supervision' };
    expect((await client.post('/api/persons/1/unmask', body)).status).toBe(403);
  },
);

test('one value is unmasked, of the profile or of a record, and is in the log without itself', async () => {
  const { inside, outside, key, phone } = await people();
  const officer = await api.as({ role: 'officer', division: TOWN });
  const url = `/api/persons/${inside}/unmask`;
  const ofRecord = {
    record: { feed: 'household_register', key },
    field: 'phone',
    purpose: 'request of the person',
  };
  const value = await officer.post(url, ofRecord);
  expect(value.body).toEqual({ value: phone });
  const [entry] = await api.query('SELECT * FROM audit.entry ORDER BY entry_id DESC LIMIT 1');
  expect(entry).toMatchObject({
    actor: officer.name,
    action: 'unmask',
    subject: `person ${inside}`,
    purpose: 'request of the person',
    detail: { feed: 'household_register', source_key: key, field: 'phone' },
  });
  expect(JSON.stringify(entry)).not.toContain(phone);
  const number = await officer.post(url, { record: 'profile', field: 'id_number', purpose: 'case' });
  expect(number.at('value')).toMatch(/^\d{17}[\dX]$/);

  const before = await lastEntry();
  const refused = [
    [{ ...ofRecord, field: 'status' }, 400],
    [{ ...ofRecord, field: 'constructor' }, 400],
    [{ ...ofRecord, field: 'phone"; DROP TABLE x' }, 400],
    [{ record: 'profile', field: 'person_id', purpose: 'case' }, 400],
    [{ ...ofRecord, record: { feed: 'nothing', key } }, 404],
    [{ ...ofRecord, record: { feed: 'household_register', key: 'nothing' } }, 404],
    [{ record: 'profile', field: 'phone' }, 400],
  ] as const;
  for (const [body, status] of refused) expect((await officer.post(url, body)).status).toBe(status);
  const hidden = await officer.post(`/api/persons/${outside}/unmask`, {
    record: 'profile',
    field: 'phone',
    purpose: 'case',
  });
  expect(hidden.status).toBe(404);
  expect(await lastEntry()).toEqual(before);
});

test('an id that was merged away leads to the person that took its place, for whoever sees that one', async () => {
  const { inside } = await people();
  const [{ person_id: gone } = { person_id: 0 }] = await api.query<{ person_id: number }>(
    `INSERT INTO identity.person (created_run, merged_into) VALUES (1, ${inside}) RETURNING person_id`,
  );
  const officer = await api.as({ role: 'officer', division: TOWN });
  const led = await officer.get(`/api/persons/${gone}${WHY}`);
  expect([led.status, led.headers['location']]).toEqual([307, `/api/persons/${inside}${WHY}`]);
  const elsewhere = await api.as({ role: 'officer', division: '620802099' });
  expect((await elsewhere.get(`/api/persons/${gone}${WHY}`)).status).toBe(404);
});
