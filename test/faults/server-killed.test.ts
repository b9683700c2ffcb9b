import { afterEach, expect, test } from 'vitest';
import { CONTRACTS } from '../../src/schema/contracts/index.ts';
import { openWarehouse, type Warehouse } from '../../src/schema/warehouse/connect.ts';
import { migrate } from '../../src/schema/warehouse/migrate.ts';
import { makeSite } from '../warehouse/embedded-site.ts';
import { contentsOf } from './contents.ts';
import { FIRST, SECOND, useDisturbance } from './disturbed.ts';

// A server of its own, because all of it is killed.
const site = makeSite();
const disturbance = useDisturbance();
const { county } = disturbance;
let open: Warehouse[] = [];

async function useServer(): Promise<void> {
  const server = await site.start();
  const warehouse = await openWarehouse(server.url);
  open.push(warehouse);
  county.moveTo(warehouse);
}

afterEach(async () => {
  for (const warehouse of open) await warehouse.close();
  open = [];
});

test.each([
  ['while rows are staged', ['ops.rejected_row IN EXCLUSIVE MODE', 'ops.rejected_row IN EXCLUSIVE MODE']],
  ['while records are changed', ['registry.housing_ownership IN EXCLUSIVE MODE']],
])(
  'a database server that is killed %s recovers to what was committed, and the next run ends the night',
  async (_where, locks) => {
    const undisturbed = await disturbance.undisturbed(contentsOf);
    await useServer();
    await migrate(county.warehouse, CONTRACTS);
    await county.night(FIRST, []);
    let ended: ReturnType<typeof disturbance.nightly>['ended'] | undefined;
    await disturbance.standStillAt(() => {
      ended = disturbance.nightly().ended;
    }, locks);

    process.kill(await site.postmaster(), 'SIGKILL');
    expect(await ended).toMatchObject({ code: 1, stdout: '' });
    await useServer();
    expect(await county.night(SECOND, [])).toMatchObject({ status: 'done' });
    expect(await contentsOf(county.warehouse)).toEqual(undisturbed);
  },
);
