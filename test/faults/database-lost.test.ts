import { describe, expect, test } from 'vitest';
import { contentsOf } from './contents.ts';
import { SECOND, useDisturbance } from './disturbed.ts';

const disturbance = useDisturbance();
const { county } = disturbance;

const POINTS: readonly (readonly [string, readonly string[]])[] = [
  ['while rows are staged', ['ops.rejected_row IN EXCLUSIVE MODE', 'ops.rejected_row IN EXCLUSIVE MODE']],
  ['while records are changed', ['registry.housing_ownership IN EXCLUSIVE MODE']],
  ['while links are written', ['identity.link IN EXCLUSIVE MODE']],
  ['while cases are opened', ['anomalies.anomaly_event IN EXCLUSIVE MODE']],
];

describe('a run that loses its connections', () => {
  test.each(POINTS)(
    '%s fails, says so, and is followed by one that ends as if nothing had been',
    async (_where, locks) => {
      const undisturbed = await disturbance.undisturbed(contentsOf);
      let ended: ReturnType<typeof disturbance.nightly>['ended'] | undefined;
      const giveBack = await disturbance.standStillAt(() => {
        ended = disturbance.nightly().ended;
      }, locks);
      // Through a connection of another name, so that it does not end itself.
      const { client } = await disturbance.connect();
      await client.query(`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'popshare' AND datname = current_database()`);
      await giveBack();

      const end = await ended;
      expect(end?.code).toBe(1);
      expect(end?.stdout).toBe('');
      expect(end?.stderr).toMatch(/terminat|connection/i);
      await disturbance.sessionsEnded();
      expect((await county.night(SECOND, [])).status).toBe('done');
      expect(await contentsOf(county.warehouse)).toEqual(undisturbed);
    },
  );
});

test('rows that a restart of the server took out of the stage are not taken for rows that are gone', async () => {
  const undisturbed = await disturbance.undisturbed(contentsOf);
  const night = Promise.withResolvers<unknown>();
  const giveBack = await disturbance.standStillAt(() => {
    county.night(SECOND, []).then(night.resolve, night.reject);
  }, ['ops.gate_finding IN EXCLUSIVE MODE']);
  const [stage] = await county.query<{ tablename: string }>(
    `SELECT tablename FROM pg_tables WHERE schemaname = 'stage'`,
  );
  // What recovery does to an unlogged table.
  await county.query(`TRUNCATE stage.${stage?.tablename}`);
  await giveBack();

  expect(await night.promise).toMatchObject({ status: 'failed' });
  const [failed] = await county.query<{ reason: string }>(
    `SELECT reason FROM ops.delivery WHERE status = 'failed'`,
  );
  expect(failed?.reason).toMatch(/^STAGE_INCOMPLETE/);
  expect(await county.night(SECOND, [])).toMatchObject({ status: 'done' });
  // The persons are the same in the end. They got there by another way, as the night went on without the feed; and a
  // case that opened then has the delivery of the night before for its cause.
  const { person_event: _events, review: _reviews, ...contents } = await contentsOf(county.warehouse);
  expect(withoutCauses(undisturbed)).toMatchObject(withoutCauses(contents));
});

function withoutCauses(contents: Record<string, string[]>): Record<string, string[]> {
  const anomaly = contents['anomaly']?.map((row) => row.replace(/"cause":"[^"]*"/, '')).toSorted();
  return { ...contents, anomaly: anomaly ?? [] };
}
