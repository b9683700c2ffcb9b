import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOf, title, useCounty } from '../support/drop.ts';

const county = useCounty('ingest');
const SNAPSHOT = 'housing_ownership';
const [FIRST, SECOND] = ['2026-11-18', '2026-11-19'];
const twenty = Array.from({ length: 20 }, (_, index) => title(`T${index}`, '王强'));
const ledger = (): Promise<Record<string, unknown>[]> =>
  county.query('SELECT sequence, status FROM ops.delivery ORDER BY feed, business_date, sequence');

/** Nothing can be written into the feed's registry: a fault of ours, not of the delivery. */
async function breakRegistry(): Promise<void> {
  await county.query(`ALTER TABLE registry.${SNAPSHOT} ADD CONSTRAINT out_of_order CHECK (false) NOT VALID`);
}

async function mendRegistry(): Promise<void> {
  await county.query(`ALTER TABLE registry.${SNAPSHOT} DROP CONSTRAINT out_of_order`);
}

describe('what arrives', () => {
  test('is kept byte for byte under its digest, readable by its owner only', async () => {
    const bytes = fileOf(county.binding(SNAPSHOT), twenty);
    await county.send(SNAPSHOT, FIRST, twenty);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const [delivery] = await county.query<{ landed_path: string }>(
      'SELECT landed_path, sha256, bytes, source_name FROM ops.delivery',
    );
    expect(delivery).toMatchObject({
      sha256,
      bytes: bytes.length,
      source_name: 'housing/housing_ownership_20261118.csv',
    });
    expect(await readFile(path.join(county.data, delivery?.landed_path ?? ''))).toEqual(bytes);
  });

  test('is one delivery however often the night is run', async () => {
    await county.send(SNAPSHOT, FIRST, twenty);
    expect(await county.ingest(SNAPSHOT, FIRST)).toMatchObject({ status: 'applied', new: 20 });
    expect(await ledger()).toEqual([{ sequence: 1, status: 'applied' }]);
  });

  test('is missing when it is not there, and fills the same row when it comes', async () => {
    const missing = await county.ingest(SNAPSHOT, FIRST);
    expect(missing).toMatchObject({ status: 'missing', received: null });
    expect(missing.reason).toMatch(/^FD01 .*housing_ownership_20261118/);
    await county.ingest(SNAPSHOT, FIRST);
    expect(await ledger()).toEqual([{ sequence: 1, status: 'missing' }]);

    const arrived = await county.send(SNAPSHOT, FIRST, twenty);
    expect(arrived).toMatchObject({
      delivery_id: missing.delivery_id,
      status: 'applied',
      new: 20,
      reason: null,
    });
    expect(await ledger()).toEqual([{ sequence: 1, status: 'applied' }]);
  });

  test('is not read before its control file is there', async () => {
    await county.deliver(SNAPSHOT, FIRST, twenty, { control: null });
    expect(await county.ingest(SNAPSHOT, FIRST)).toMatchObject({
      status: 'missing',
      reason: expect.stringContaining('控制文件'),
    });
    expect(await county.send(SNAPSHOT, FIRST, twenty)).toMatchObject({ status: 'applied' });
  });

  test('for the same date replaces what is held', async () => {
    await county.send(SNAPSHOT, FIRST, twenty);
    const held = await county.send(SNAPSHOT, SECOND, twenty.slice(0, 5));
    expect(held.status).toBe('held');
    const mended = await county.send(SNAPSHOT, SECOND, twenty.slice(0, 19));
    expect(mended).toMatchObject({ status: 'applied', removed: 1 });
    expect(await ledger()).toEqual([
      { sequence: 1, status: 'applied' },
      { sequence: 1, status: 'refused' },
      { sequence: 2, status: 'applied' },
    ]);
    expect(await county.query('SELECT delivery_id, decision, decided_by FROM ops.delivery_decision')).toEqual(
      [{ delivery_id: held.delivery_id, decision: 'supersede', decided_by: 'popshare' }],
    );
  });

  test('for the same date replaces what failed: it is not tried again', async () => {
    await breakRegistry();
    const failed = await county.send(SNAPSHOT, FIRST, twenty);
    expect(failed).toMatchObject({ status: 'failed', reason: expect.stringMatching(/^UNEXPECTED/) });
    await mendRegistry();

    expect(await county.send(SNAPSHOT, FIRST, twenty.slice(1))).toMatchObject({ status: 'applied', new: 19 });
    expect(await ledger()).toEqual([
      { sequence: 1, status: 'refused' },
      { sequence: 2, status: 'applied' },
    ]);
  });

  test('and failed on our side is tried again by the next run of the date', async () => {
    await breakRegistry();
    await county.send(SNAPSHOT, FIRST, twenty);
    await mendRegistry();
    expect(await county.ingest(SNAPSHOT, FIRST)).toMatchObject({ status: 'applied', new: 20, reason: null });
  });

  test('with the control file alone mended is read again', async () => {
    const held = await county.send(SNAPSHOT, FIRST, twenty, { control: { rows: 21 } });
    expect(held).toMatchObject({ status: 'held', reason: expect.stringMatching(/^FD05/) });
    expect(await county.send(SNAPSHOT, FIRST, twenty)).toMatchObject({
      delivery_id: held.delivery_id,
      status: 'applied',
      new: 20,
    });
    expect(await county.query('SELECT * FROM ops.gate_finding')).toEqual([]);
  });
});
