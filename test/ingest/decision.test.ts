import { beforeEach, describe, expect, test } from 'vitest';
import { decideDelivery } from '../../src/ingest/decide.ts';
import type { DeliveryReport } from '../../src/jobs/deliveries.ts';
import { toDeliveryId } from '../../src/schema/ids.ts';
import { type Row, title, useCounty } from '../support/drop.ts';

const county = useCounty('ingest');
const [FIRST, SECOND, THIRD] = ['2026-11-18', '2026-11-19', '2026-11-20'];
const FEED = 'housing_ownership';
const titles = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => title(`T${index}`, '王强'));
const standing = async (): Promise<number> => Object.keys(await county.records(FEED, 'owner_name')).length;

describe('an officer', () => {
  let held: DeliveryReport;
  beforeEach(async () => {
    await county.send(FEED, FIRST, titles(20));
    held = await county.send(FEED, SECOND, titles(5));
    expect(held.status).toBe('held');
  });

  test('releases a held delivery: it is applied, and who decided why is kept', async () => {
    const released = await county.decide(held, 'release', '核实无误');
    expect(released).toMatchObject({
      delivery_id: held.delivery_id,
      status: 'applied',
      removed: 15,
      reason: null,
    });
    expect(await standing()).toBe(5);
    expect(await county.query('SELECT decision, reason, decided_by FROM ops.delivery_decision')).toEqual([
      { decision: 'release', reason: '核实无误', decided_by: 'officer' },
    ]);
    expect(await county.query('SELECT rule, holds FROM ops.gate_finding')).toEqual([
      { rule: 'FD02', holds: true },
    ]);
  });

  test('refuses a held delivery: what stood stands, and the next is measured against that', async () => {
    expect(await county.decide(held, 'refuse', '少传')).toMatchObject({ status: 'refused', reason: '少传' });
    expect(await county.ingest(FEED, SECOND)).toMatchObject({ status: 'refused' });
    expect(await standing()).toBe(20);
    expect(await county.send(FEED, THIRD, titles(18))).toMatchObject({ status: 'applied', removed: 2 });
  });

  test('replays a held delivery: the gates look again', async () => {
    expect(await county.decide(held, 'replay')).toMatchObject({ status: 'held' });
    county.setGates({ fewer_percent: 80 });
    expect(await county.decide(held, 'replay')).toMatchObject({ status: 'applied', removed: 15 });
  });

  test('replays a refused delivery', async () => {
    const refused = await county.decide(held, 'refuse');
    expect(await county.decide(refused, 'replay')).toMatchObject({ status: 'held' });
  });

  test('cannot decide twice, or upon what is not there', async () => {
    const released = await county.decide(held, 'release');
    await expect(county.decide(released, 'release')).rejects.toMatchObject({ code: 'DELIVERY_STATE' });
    await expect(county.decide(released, 'refuse')).rejects.toMatchObject({ code: 'DELIVERY_STATE' });
    await expect(county.decide({ ...held, delivery_id: 4711 }, 'release')).rejects.toMatchObject({
      code: 'DELIVERY_UNKNOWN',
    });
    const missing = await county.ingest(FEED, THIRD);
    await expect(county.decide(missing, 'replay')).rejects.toMatchObject({ code: 'DELIVERY_STATE' });
    expect(await county.query('SELECT decision FROM ops.delivery_decision')).toEqual([
      { decision: 'release' },
    ]);
  });
});

test('a replay of what was applied changes nothing, and needs no file of the department', async () => {
  const applied = await county.send(FEED, FIRST, titles(20));
  const before = await county.query(`SELECT xmin, * FROM registry.${FEED} ORDER BY source_key`);
  const replayed = await county.decide(applied, 'replay');
  expect(replayed).toMatchObject({
    status: 'applied',
    reason: '重放：登记簿不变',
    new: 20,
    changed: 0,
    unchanged: 0,
    removed: 0,
  });
  expect(await county.query(`SELECT xmin, * FROM registry.${FEED} ORDER BY source_key`)).toEqual(before);
});

test('a replay of an earlier snapshot does not undo the later one', async () => {
  const first = await county.send(FEED, FIRST, titles(20));
  await county.send(FEED, SECOND, titles(18));
  expect(await county.decide(first, 'replay')).toMatchObject({
    status: 'applied',
    reason: expect.stringContaining('重放'),
    new: 20,
  });
  expect(await standing()).toBe(18);
});

test('what cannot be read under its binding cannot be released, only refused or replayed', async () => {
  const text = '不动产权证号,别的\nA,B\n';
  await county.deliverBytes(FEED, FIRST, Buffer.from(text), 1);
  const held = await county.ingest(FEED, FIRST);
  expect(held.status).toBe('held');
  await expect(county.decide(held, 'release')).rejects.toMatchObject({ code: 'DELIVERY_STATE' });
  expect(await county.decide(held, 'replay')).toMatchObject({ status: 'held' });
  expect(await county.decide(held, 'refuse')).toMatchObject({ status: 'refused' });
});

test('a decision upon one delivery leaves the others of its date alone', async () => {
  const member = (number: string): Row => ({
    allowance_number: 'L1',
    member_number: number,
    name: '王强',
    monthly_amount: '1',
  });
  await county.send(FEED, FIRST, titles(20), { control: { rows: 1 } });
  await county.send('subsistence_allowance', FIRST, [member('1')], { control: { rows: 2 } });
  const [report] = (await county.night(FIRST, [FEED])).deliveries;
  if (report === undefined) throw new Error('no delivery');
  await county.decide(report, 'release');
  expect(await county.query('SELECT feed, status FROM ops.delivery ORDER BY feed')).toEqual([
    { feed: FEED, status: 'applied' },
    { feed: 'subsistence_allowance', status: 'held' },
  ]);
});

test('a decision that no run could take up is taken up by the next one, of whatever date', async () => {
  await county.send(FEED, FIRST, titles(20));
  const held = await county.send(FEED, SECOND, titles(5));
  const decision = { decision: 'release', reason: '核实无误', decidedBy: 'officer' } as const;
  await decideDelivery(county.warehouse, { deliveryId: toDeliveryId(held.delivery_id), ...decision });
  await county.ingest(FEED, FIRST);
  expect(await standing()).toBe(20);
  await county.ingest(FEED, THIRD);
  expect(await standing()).toBe(5);
  expect(
    await county.query('SELECT business_date, status FROM ops.delivery WHERE delivery_id = $1', [
      held.delivery_id,
    ]),
  ).toEqual([{ business_date: SECOND, status: 'applied' }]);
});
