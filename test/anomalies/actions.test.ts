import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { actOnCase } from '../../src/anomalies/queue/actions.ts';
import { readCase, showCase, stateOf } from '../../src/anomalies/queue/show.ts';
import { type Action, actionsAllowed, TRANSITIONS } from '../../src/anomalies/queue/transitions.ts';
import { CHEN, LI, rule, useQueue } from './queue.ts';

const queue = useQueue();
const { night, act, one, idOf, story, request, county, audited } = queue;
const [FIRST, SECOND, THIRD] = ['2026-11-18', '2026-11-19', '2026-11-20'];

/** One case, new. */
async function opened(): Promise<number> {
  await night(FIRST, [{ subject: 'A', evidence: { n: 1 } }]);
  return idOf('A');
}

describe('the night', () => {
  test('opens a case as new, nobody’s, and due by its severity', async () => {
    expect(await one(await opened())).toMatchObject({
      ...{ status: 'new', owner: null, due_on: '2026-11-25', version: 1, department: 'operator' },
    });
  });

  test('counts what is for information only, and queues it not', async () => {
    await night(FIRST, [{ subject: 'A' }], rule('DQ14', 'info'));
    const found = await one(await idOf('A', 'DQ14'));
    expect(found).toMatchObject({ status: 'new', due_on: null });
    expect(actionsAllowed(stateOf(found), CHEN)).toEqual([]);
    expect((await queue.page()).counts.total).toBe(0);
    await expect(act(found.anomaly_id, 'resolve')).rejects.toMatchObject({ code: 'CASE_STATE' });
  });

  test('takes new evidence, heals, and reopens with the same id, nobody’s, and due anew', async () => {
    const id = await opened();
    await act(id, 'assign');
    expect(await night(SECOND, [{ subject: 'A', evidence: { n: 2 } }])).toMatchObject({
      reopened: 0,
      open: 1,
    });
    expect(await one(id)).toMatchObject({ status: 'assigned', owner: 'li', evidence: { n: 2 }, version: 3 });
    expect(await night(SECOND, [])).toMatchObject({ closed: 1, open: 0 });
    expect(await night(THIRD, [{ subject: 'A', evidence: { n: 2 } }])).toMatchObject({
      opened: 0,
      reopened: 1,
    });
    expect(await one(id)).toMatchObject({
      status: 'new',
      owner: null,
      due_on: '2026-11-27',
      opened_on: THIRD,
    });
    expect(await story(id)).toEqual(['opened', 'assigned', 'evidence', 'healed', 'reopened']);
  });

  test.each(['resolve', 'dismiss'] as const)(
    'leaves closed what a human %ss, until the evidence is newer',
    async (action) => {
      const id = await opened();
      await act(id, action);
      expect(await night(SECOND, [{ subject: 'A', evidence: { n: 1 } }])).toMatchObject({
        reopened: 0,
        open: 0,
      });
      expect(await night(SECOND, [])).toMatchObject({ closed: 0 });
      expect(await night(SECOND, [{ subject: 'A', evidence: { n: 1 } }])).toMatchObject({ reopened: 0 });
      expect(await night(THIRD, [{ subject: 'A', evidence: { n: 2 } }])).toMatchObject({
        reopened: 1,
        open: 1,
      });
    },
  );

  test('confirms a correction: what was returned and is mended closes by itself', async () => {
    const id = await opened();
    await act(id, 'return', { today: '2026-12-01' });
    expect(await one(id)).toMatchObject({ returned_to: 'public-security', due_on: '2026-12-08' });
    await night(SECOND, []);
    const { events } = await readCase(county.warehouse.db, id);
    expect(events.at(-1)).toMatchObject({
      kind: 'healed',
      from_status: 'returned',
      to_status: 'resolved',
      actor: null,
    });
  });

  test('brings standing cases to a rule that has changed', async () => {
    const id = await opened();
    await act(id, 'assign');
    await night(SECOND, [{ subject: 'A', evidence: { n: 1 } }], rule('DQ01', 'low', 'civil-affairs'));
    expect(await one(id)).toMatchObject({
      severity: 'low',
      department: 'civil-affairs',
      due_on: '2026-12-17',
    });
    expect((await queue.page()).counts).toMatchObject({ total: 1, by_severity: { low: 1 } });
    await night(THIRD, [{ subject: 'A', evidence: { n: 1 } }], rule('DQ01', 'info'));
    expect(await one(id)).toMatchObject({ status: 'new', owner: null, due_on: null });
    expect((await queue.page()).counts.total).toBe(0);
  });
});

describe('an officer', () => {
  test('needs a reason of the list, a comment, and a name', async () => {
    const id = await opened();
    const wrong = [{ reason: 'because' }, { comment: ' ' }, { comment: '话'.repeat(2001) }];
    for (const more of [...wrong, { actor: { ...CHEN, name: '' } }])
      await expect(act(id, 'dismiss', more)).rejects.toMatchObject({ code: 'CASE_INPUT' });
    await expect(act(id, 'assign', { owner: undefined })).rejects.toMatchObject({ code: 'CASE_INPUT' });
    await expect(act(id, 'return', { department: undefined })).rejects.toMatchObject({ code: 'CASE_INPUT' });
    await expect(act(4711, 'dismiss')).rejects.toMatchObject({ code: 'CASE_UNKNOWN' });
    expect(await story(id)).toEqual(['opened']);
  });

  test('takes a case but gives it to nobody else, and leaves the cases of others alone', async () => {
    const id = await opened();
    await expect(act(id, 'assign', { actor: LI, owner: 'chen' })).rejects.toMatchObject({
      code: 'CASE_INPUT',
    });
    await act(id, 'assign', { actor: LI, owner: 'li' });
    const wang = { ...LI, name: 'wang' };
    await expect(act(id, 'resolve', { actor: wang })).rejects.toMatchObject({ code: 'CASE_STATE' });
    await act(id, 'resolve', { actor: LI });
    expect(await one(id)).toMatchObject({ status: 'resolved', owner: 'li' });
  });

  test('who looked at an older version is refused, and told what has changed since', async () => {
    const id = await opened();
    await act(id, 'assign');
    await night(SECOND, [{ subject: 'A', evidence: { n: 2 } }]);
    const late = actOnCase(county.warehouse, id, 1, request('dismiss'));
    await expect(late).rejects.toMatchObject({
      code: 'CASE_CHANGED',
      message: `case ${id} is at version 3, not 1: assigned on 2026-11-18 by chen, evidence on 2026-11-19 by the night`,
      since: [
        { kind: 'assigned', actor: 'chen' },
        { kind: 'evidence', actor: null, evidence: { n: 2 } },
      ],
    });
  });

  test('of two who act at the same time, one is heard and the other is told', async () => {
    const id = await opened();
    const both = await Promise.allSettled([
      actOnCase(county.warehouse, id, 1, request('resolve')),
      actOnCase(county.warehouse, id, 1, request('dismiss')),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await one(id)).version).toBe(2);
  });
});

describe('the audit log', () => {
  test('says who did what to which case, and why', async () => {
    const id = await opened();
    await act(id, 'assign', { actor: LI, owner: 'li' });
    await act(id, 'dismiss', { comment: '张三的户籍' });
    expect(await audited(`case ${id}`)).toEqual([
      {
        ...{ actor: 'li', action: 'case', purpose: 'by_division' },
        detail: { before: 'new', after: 'assigned' },
      },
      {
        ...{ actor: 'chen', action: 'case', purpose: 'not_a_fault' },
        detail: { before: 'assigned', after: 'dismissed' },
      },
    ]);
  });

  test('says nothing of what was refused', async () => {
    const id = await opened();
    await expect(act(id, 'reopen')).rejects.toMatchObject({ code: 'CASE_STATE' });
    expect(await audited(`case ${id}`)).toEqual([]);
  });

  test('says who looked at a case and its person', async () => {
    await night(FIRST, [{ subject: 'A', person_id: 7 }]);
    const id = await idOf('A');
    await showCase(county.warehouse, id, { actor: LI, purpose: '核对住址' });
    expect(await audited(`case ${id}`)).toEqual([
      { actor: 'li', action: 'look', purpose: '核对住址', detail: { person: 7 } },
    ]);
  });
});

const ACTIONS = TRANSITIONS.map(({ action }) => action);
const step = fc.oneof(
  fc.record({
    action: fc.constantFrom(...ACTIONS),
    actor: fc.constantFrom(LI, CHEN),
    owner: fc.constantFrom('li', 'chen'),
  }),
  fc.record({ found: fc.constantFrom(null, 1, 2) }),
);

test('whatever is done in whatever order, the history is consistent', async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      round += 1;
      const subject = `S${round}`;
      await night(FIRST, [{ subject, evidence: { n: 1 } }]);
      const id = await idOf(subject);
      for (const next of steps) {
        const before = await one(id);
        if ('found' in next) {
          await night(SECOND, next.found === null ? [] : [{ subject, evidence: { n: next.found } }]);
          const after = await one(id);
          const wasClosed = before.status === 'resolved' || before.status === 'dismissed';
          const newer = before.healed || before.evidence['n'] !== next.found;
          if (wasClosed) expect(after.status === 'new').toBe(next.found !== null && newer);
          else expect(after.status).toBe(next.found === null ? 'resolved' : before.status);
        } else {
          const allowed = actionsAllowed(stateOf(before), next.actor).map(({ action }) => action);
          const owner = next.actor.role === 'officer' ? next.actor.name : next.owner;
          const done = act(id, next.action, { actor: next.actor, owner });
          if (allowed.includes(next.action)) await done;
          else await expect(done).rejects.toMatchObject({ code: 'CASE_STATE' });
          if (!allowed.includes(next.action)) expect(await one(id)).toEqual(before);
        }
      }
      await expectConsistent(id);
    }),
    { numRuns: 12 },
  );
});

/** Versions count up by one, each event begins where the one before ended, and the last is where the case stands. */
async function expectConsistent(id: number): Promise<void> {
  const { case: now, events } = await readCase(county.warehouse.db, id);
  expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
  expect(events.slice(1).map(({ from_status }) => from_status)).toEqual(
    events.slice(0, -1).map(({ to_status }) => to_status),
  );
  expect(events.at(-1)).toMatchObject({ version: now.version, to_status: now.status });
  const kindOf: Record<string, Action> = { assigned: 'assign', returned: 'return', dismissed: 'dismiss' };
  for (const { kind, from_status } of events) {
    const transition = TRANSITIONS.find(({ action }) => action === kindOf[kind]);
    if (transition !== undefined) expect(transition.from).toContain(from_status);
  }
}
