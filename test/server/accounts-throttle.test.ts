import { expect, test } from 'vitest';
import { begin, networkOf, succeeded, tookBack } from '../../src/server/accounts/throttle.ts';
import { useWarehouse } from '../support/warehouse.ts';

const warehouse = useWarehouse();
const START = Date.parse('2026-11-18T08:00:00+08:00');
const minutes = (count: number): Date => new Date(START + count * 60_000);

/** Fails so many times at one moment; returns what the last attempt was told. */
async function fail(name: string, times: number, at: Date, address = '192.0.2.1') {
  let last = null;
  for (let attempt = 0; attempt < times; attempt++) last = await begin(warehouse().db, { name, address }, at);
  return last;
}

test('five failures lock a name for 15 minutes, five more for 30, then for an hour', async () => {
  expect(await fail('wang', 5, minutes(0))).toBeNull();
  expect(await fail('wang', 1, minutes(14))).toMatchObject({ by: 'name', until: minutes(15) });
  expect(await fail('wang', 5, minutes(16))).toBeNull();
  expect(await fail('wang', 1, minutes(45))).toMatchObject({ by: 'name', until: minutes(46) });
  expect(await fail('wang', 5, minutes(46))).toBeNull();
  expect(await fail('wang', 1, minutes(47))).toMatchObject({ by: 'name', until: minutes(106) });
});

test('a lock is never longer than a day, and failures are forgotten after two', async () => {
  let now = 0;
  for (let round = 0; round < 12; round++) {
    await fail('li', 5, minutes(now));
    const locked = await fail('li', 1, minutes(now + 1));
    const until = ((locked?.until.getTime() ?? 0) - START) / 60_000;
    expect(until - now).toBeLessThanOrEqual(24 * 60);
    now = until;
  }
  const later = now + 3 * 24 * 60;
  expect(await fail('li', 5, minutes(later))).toBeNull();
  expect(await fail('li', 1, minutes(later + 1))).toMatchObject({ until: minutes(later + 15) });
});

test('of a hundred attempts at the same moment, five are looked at', async () => {
  const told = await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      begin(warehouse().db, { name: 'zhao', address: `198.51.100.${at}` }, minutes(0)),
    ),
  );
  expect(told.filter((locked) => locked === null)).toHaveLength(5);
});

test('who proves right has no failures any more; who was right and not complete keeps the earlier ones', async () => {
  const attempt = { name: 'chen', address: '203.0.113.7' };
  await fail('chen', 4, minutes(0), attempt.address);
  for (let times = 0; times < 10; times++) {
    expect(await begin(warehouse().db, attempt, minutes(1))).toBeNull();
    await tookBack(warehouse().db, attempt);
  }
  expect(await begin(warehouse().db, attempt, minutes(1))).toBeNull();
  expect(await begin(warehouse().db, attempt, minutes(1))).toMatchObject({ by: 'name' });
  await succeeded(warehouse().db, attempt);
  expect(await fail('chen', 5, minutes(2), attempt.address)).toBeNull();
});

test('an address that fails with thirty names waits until 15 minutes are over; others do not', async () => {
  const address = '203.0.113.99';
  for (let name = 0; name < 30; name++) expect(await fail(`name${name}`, 1, minutes(0), address)).toBeNull();
  expect(await fail('name30', 1, minutes(5), address)).toEqual({
    by: 'address',
    until: minutes(15),
    isNew: true,
  });
  expect(await fail('name30', 1, minutes(6), address)).toMatchObject({ isNew: false });
  expect(await fail('name30', 1, minutes(6), '203.0.113.98')).toBeNull();
  expect(await fail('name31', 1, minutes(15), address)).toBeNull();
});

test.each([
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:2::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
