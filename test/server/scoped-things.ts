import { expect } from 'vitest';
import type { Client, useApi } from './api.ts';
import { csv, linesOf } from './files.ts';

/** Where what these functions make belongs, and where it does not. */
export const [TOWN, OTHER_TOWN] = ['620802103', '620802212'];
export const [OWN, OTHER] = ['villages', 'education'];

interface Case {
  readonly id: number;
  readonly version: number;
  readonly person: number;
  readonly village: string;
  readonly key: string;
}
export const assignAll = (person: number, owner: string) => ({
  filter: { person },
  action: 'assign',
  reason: 'by_division',
  owner,
});

export const SUPPRESSION = {
  rule: 'MP07',
  covers: { feed: 'village_report', division: TOWN },
  until: '2099-12-31',
  reason: 'known_exception',
  comment: '已知',
};

/** A list with its answers, as it comes back. */
function filledIn(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  answers: Readonly<Record<string, string>>,
): Buffer {
  return csv([headings, ...rows.map((row) => row.map((cell, at) => answers[headings[at] ?? ''] ?? cell))]);
}

/** Makes things of the sample's first night that are in one scope and not in another. */
export function thingsOf(api: ReturnType<typeof useApi>) {
  const used: number[] = [];
  const everywhere = (): Promise<Client> => api.as({ role: 'supervisor' });

  /** An open case of the town and the department that no other test has had. */
  async function aCase(): Promise<Case> {
    const [found] = await api.query<Case>(
      `SELECT anomaly_id AS id, version, person_id AS person, division AS village, source_key AS key
       FROM anomalies.anomaly a
       WHERE division LIKE $1 || '%' AND department = $2 AND status = 'new' AND severity <> 'info' AND anomaly_id <> ALL ($3)
         AND (SELECT count(*) FROM anomalies.anomaly o WHERE o.person_id = a.person_id) = 1
       ORDER BY anomaly_id LIMIT 1`,
      [TOWN, OWN, used],
    );
    if (found === undefined) throw new Error('the sample has no case left');
    used.push(found.id);
    return found;
  }

  /** A case that was sent back to the public security bureau, and stands on a list. */
  async function onList(): Promise<{ id: string; file: Buffer }> {
    await returned();
    const issued = await (await everywhere()).post('/api/corrections', {});
    const id = String(issued.at('issued.0.number'));
    const bureau = await api.as({ role: 'department', department: 'public-security' });
    const file = await bureau.post(`/api/corrections/${id}/files`, { format: 'csv' });
    expect(file.status, file.text).toBe(200);
    const [headings = [], ...rows] = await linesOf(file.bytes, 'csv');
    return { id, file: filledIn(headings, rows, { 处理结果: '已更正' }) };
  }

  async function returned(): Promise<Case> {
    const found = await aCase();
    const body = {
      action: 'return',
      reason: 'correct_record',
      comment: '请更正',
      department: 'public-security',
    };
    const url = `/api/anomalies/${found.id}/actions`;
    const done = await (await everywhere()).post(url, body, { 'if-match': `"${found.version}"` });
    expect(done.status, done.text).toBe(200);
    return found;
  }

  /** A village that was asked about a case. */
  async function aCheck(): Promise<{ id: number; village: string }> {
    const { id, village } = await aCase();
    const officer = await everywhere();
    const asked = await officer.post('/api/field-checks', { case: id, village, question: '是否居住在此' });
    expect(asked.status, asked.text).toBe(200);
    return { id: Number(asked.at('check_id')), village };
  }

  async function checkList(): Promise<{ file: Buffer }> {
    const { id, village } = await aCheck();
    const list = await (await everywhere()).post('/api/field-checks/files', { village });
    const [headings = [], ...rows] = await linesOf(list.bytes, 'xlsx');
    const own = rows.filter(([check]) => check === String(id));
    return { file: filledIn(headings, own, { 核查结果: '已离开本县', 核查人: '李' }) };
  }

  async function aBulkAction(): Promise<{ id: number }> {
    const { person } = await aCase();
    const supervisor = await everywhere();
    const done = await supervisor.post('/api/bulk-actions', assignAll(person, supervisor.name));
    expect(done.status, done.text).toBe(200);
    return { id: Number(done.at('bulk_id')) };
  }

  async function aSuppression(): Promise<{ id: number }> {
    const made = await (await everywhere()).post('/api/suppressions', SUPPRESSION);
    expect(made.status, made.text).toBe(200);
    return { id: Number(made.at('suppression_id')) };
  }

  /** Somebody who is registered in the town, and of whom nothing tells in the other one, or to the other department. */
  async function aPerson(): Promise<{ id: number; id_number: string; name: string }> {
    const [found] = await api.query<{ id: number; id_number: string; name: string }>(
      `SELECT p.person_id AS id, p.id_number, p.name FROM population.person p
       WHERE p.id_number IS NOT NULL AND p.name IS NOT NULL AND starts_with(p.registered_division, $1)
         AND NOT EXISTS (
           SELECT FROM identity.link l JOIN identity.mention m USING (mention_id) JOIN reference.feed f USING (feed)
           WHERE l.person_id = p.person_id
             AND (f.department = $2 OR starts_with(m.division, $3) OR starts_with(m.registered_division, $3)))
         AND NOT EXISTS (
           SELECT FROM anomalies.anomaly a
           WHERE a.person_id = p.person_id AND ($2 IN (a.department, a.returned_to) OR starts_with(a.division, $3)))
         AND NOT EXISTS (
           SELECT FROM population.residence r
           WHERE r.person_id = p.person_id AND (starts_with(r.living_division, $3) OR starts_with(r.registered_division, $3)))
       ORDER BY 1 LIMIT 1`,
      [TOWN, OTHER, OTHER_TOWN],
    );
    if (found === undefined) throw new Error('the sample has nobody like that');
    return found;
  }

  /** A review of the sample, by the departments of its two records. */
  const aReview = (department: string) => async (): Promise<{ id: number }> => {
    const [found] = await api.query<{ id: number }>(
      `SELECT review_id AS id FROM identity.review WHERE $1 = ANY (departments) ORDER BY review_id LIMIT 1`,
      [department],
    );
    return { id: found?.id ?? 0 };
  };

  async function aDecision(): Promise<{ id: number }> {
    const { id } = await aReview('education')();
    const body = { verdict: 'different', reason: '核实' };
    const decided = await (await everywhere()).post(`/api/reviews/${id}/decision`, body);
    expect(decided.status, decided.text).toBe(200);
    return { id: Number(decided.at('decision_id')) };
  }

  async function aDelivery(): Promise<{ id: number }> {
    const [found] = await api.query<{ id: number }>(
      'SELECT max(delivery_id) AS id FROM ops.delivery WHERE department = $1',
      [OWN],
    );
    return { id: found?.id ?? 0 };
  }

  async function aRejectedRow(): Promise<{ id: number }> {
    const [row] = await api.query<{ id: number }>(
      `INSERT INTO ops.rejected_row (delivery_id, feed, line, field, code, message, fields)
       SELECT delivery_id, feed, 7, 'name', 'MISSING', '缺少', to_json(ARRAY['a', 'b']) FROM ops.delivery
       WHERE delivery_id = $1 RETURNING rejected_row_id AS id`,
      [(await aDelivery()).id],
    );
    return { id: row?.id ?? 0 };
  }

  return {
    aCase,
    returned,
    onList,
    aCheck,
    checkList,
    aBulkAction,
    aSuppression,
    aPerson,
    aReview,
    aDecision,
    aDelivery,
    aRejectedRow,
  };
}
