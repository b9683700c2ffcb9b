import { describe, expect, test } from 'vitest';
import { contentsOf } from './contents.ts';
import { kill, SECOND, useDisturbance } from './disturbed.ts';

const disturbance = useDisturbance();
const { county } = disturbance;

/** Where the process is killed: the locks that bring it to a standstill there. */
const POINTS: readonly (readonly [string, readonly string[]])[] = [
  ['before its first step', ['ops.step IN EXCLUSIVE MODE']],
  ['before a delivery is in the ledger', ['ops.delivery IN EXCLUSIVE MODE']],
  ['after a delivery has landed', ['ops.feed_state IN ACCESS EXCLUSIVE MODE']],
  ['while the stage table is made', ['ops.rejected_row IN EXCLUSIVE MODE']],
  ['while rows are staged', ['ops.rejected_row IN EXCLUSIVE MODE', 'ops.rejected_row IN EXCLUSIVE MODE']],
  ['after staging, at the gates', ['ops.gate_finding IN EXCLUSIVE MODE']],
  ['while history is written', ['registry.household_register_history IN EXCLUSIVE MODE']],
  ['while records are removed', ['registry.household_register IN EXCLUSIVE MODE']],
  ['while mentions are written', ['identity.mention IN EXCLUSIVE MODE']],
  ['while the books are closed', ['ops.feed_state IN EXCLUSIVE MODE']],
  ['between two feeds', ['ops.feed_state IN EXCLUSIVE MODE', 'ops.step IN EXCLUSIVE MODE']],
  ['in the last feed', ['registry.housing_ownership IN EXCLUSIVE MODE']],
  ['while persons are made', ['identity.person IN EXCLUSIVE MODE']],
  ['while links are written', ['identity.link IN EXCLUSIVE MODE']],
  ['between identity and detection', ['identity.state IN EXCLUSIVE MODE', 'ops.step IN EXCLUSIVE MODE']],
  ['before cases are opened', ['anomalies.anomaly IN EXCLUSIVE MODE']],
  ['in the middle of the cases of a rule', ['anomalies.anomaly_event IN EXCLUSIVE MODE']],
  [
    // Two rules run at a time: both of the first have ended when the second lock is there.
    'in the third rule',
    ['anomalies.rule_state IN EXCLUSIVE MODE', 'anomalies.rule_state IN EXCLUSIVE MODE'],
  ],
  ['when all is done but the run', ['anomalies.rule_state IN EXCLUSIVE MODE', 'ops.run IN EXCLUSIVE MODE']],
];

test('the night that is disturbed leaves something of everything, and nothing half done', async () => {
  const { left_over, open_run, review: _reviews, ...contents } = await disturbance.undisturbed(contentsOf);
  expect([left_over, open_run]).toEqual([[], []]);
  for (const [name, rows] of Object.entries(contents)) expect(rows, name).not.toEqual([]);
  expect(contents['anomaly_event']?.join()).toMatch(/opened.*healed|healed.*opened/);
});

describe('a process that is killed', () => {
  test.each(POINTS)('%s is followed by one that ends as if nothing had been', async (_where, locks) => {
    const undisturbed = await disturbance.undisturbed(contentsOf);
    const giveBack = await disturbance.standStillAt(() => disturbance.nightly(), locks);
    for (const child of disturbance.children) await kill(child);
    await giveBack();
    await disturbance.sessionsEnded();

    const report = await county.night(SECOND, []);
    expect(report.status).toBe('done');
    expect(await contentsOf(county.warehouse)).toEqual(undisturbed);
  });
});
