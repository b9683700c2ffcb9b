import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anchorFile, readAnchors, writeAnchor } from '../../src/jobs/audit-anchor.ts';
import { auditHead, recordAct, verifyAudit } from '../../src/schema/warehouse/audit.ts';
import type { Warehouse } from '../../src/schema/warehouse/connect.ts';
import { createWarehouse } from '../support/warehouse.ts';

let warehouse: Warehouse;
let folder: string;
beforeEach(async () => {
  warehouse = await createWarehouse();
  folder = await mkdtemp(path.join(tmpdir(), 'popshare-audit-'));
});
afterEach(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true });
});

async function fiveEntries(): Promise<void> {
  for (const person of [1, 2, 3, 4, 5]) {
    await recordAct(warehouse.db, {
      actor: 'officer',
      action: 'look',
      subject: `person ${person}`,
      purpose: 'case 1',
      detail: { fields: ['name'] },
    });
  }
}

const tamper = (statement: string): Promise<unknown> => warehouse.pool.query(statement);

describe('the chain of the audit log', () => {
  test('an untouched log has no fault, and its numbers have no gap', async () => {
    expect(await verifyAudit(warehouse, [])).toEqual([]);
    await fiveEntries();
    expect(await verifyAudit(warehouse, [])).toEqual([]);
    expect((await auditHead(warehouse)).entryId).toBe(5);
  });

  test('an act that is rolled back leaves no gap', async () => {
    await fiveEntries();
    const failing = warehouse.db.transaction().execute(async (tx) => {
      await recordAct(tx, { actor: 'officer', action: 'look' });
      throw new Error('the look failed');
    });
    await expect(failing).rejects.toThrow('the look failed');
    expect(await recordAct(warehouse.db, { actor: 'officer', action: 'look' })).toBe(6);
    expect(await verifyAudit(warehouse, [])).toEqual([]);
  });

  test('sessions that add at the same time leave one chain', async () => {
    await Promise.all(Array.from({ length: 8 }, () => fiveEntries()));
    expect((await auditHead(warehouse)).entryId).toBe(40);
    expect(await verifyAudit(warehouse, [])).toEqual([]);
  });

  test.each([
    ['another actor', `UPDATE audit.entry SET actor = 'nobody' WHERE entry_id = 3`, [3]],
    ['another moment', `UPDATE audit.entry SET at = at - interval '1 microsecond' WHERE entry_id = 3`, [3]],
    ['another detail', `UPDATE audit.entry SET detail = '{}' WHERE entry_id = 5`, [5]],
    ['another hash', `UPDATE audit.entry SET hash = sha256('x') WHERE entry_id = 2`, [2, 3]],
  ])('%s is found', async (_what, statement, entries) => {
    await fiveEntries();
    await tamper(statement);
    const faults = await verifyAudit(warehouse, []);
    expect(faults.map(({ entryId }) => entryId)).toEqual(entries);
    expect(faults[0]?.kind).toBe('changed');
  });

  test('a removed entry, a cut end and two entries in another order are found', async () => {
    await fiveEntries();
    await tamper('DELETE FROM audit.entry WHERE entry_id = 3');
    expect(await verifyAudit(warehouse, [])).toEqual([{ entryId: 4, kind: 'missing' }]);
    await tamper('DELETE FROM audit.entry WHERE entry_id >= 4');
    expect(await verifyAudit(warehouse, [])).toEqual([{ entryId: 5, kind: 'cut off' }]);
  });

  test('two entries that changed places are found', async () => {
    await fiveEntries();
    await tamper('UPDATE audit.entry SET entry_id = -entry_id WHERE entry_id IN (2, 3)');
    await tamper('UPDATE audit.entry SET entry_id = 5 + entry_id WHERE entry_id < 0');
    expect(await verifyAudit(warehouse, [])).not.toEqual([]);
  });
});

describe('anchors outside the database', () => {
  test('a log that was written anew from the start contradicts its anchor', async () => {
    await fiveEntries();
    await writeAnchor(warehouse, folder, '2026-11-20');
    await tamper('DELETE FROM audit.entry');
    await tamper(`UPDATE audit.head SET entry_id = 0, hash = sha256('popshare')`);
    for (let entry = 0; entry < 5; entry++) await recordAct(warehouse.db, { actor: 'x', action: 'look' });
    expect(await verifyAudit(warehouse, [])).toEqual([]);
    const anchors = await readAnchors(anchorFile(folder));
    expect(await verifyAudit(warehouse, anchors)).toEqual([{ entryId: 5, kind: 'anchor differs' }]);
  });

  test('a day without an act writes no anchor', async () => {
    await fiveEntries();
    await writeAnchor(warehouse, folder, '2026-11-20');
    await writeAnchor(warehouse, folder, '2026-11-21');
    expect((await readFile(anchorFile(folder), 'utf8')).trim().split('\n')).toHaveLength(1);
    await recordAct(warehouse.db, { actor: 'officer', action: 'look' });
    await writeAnchor(warehouse, folder, '2026-11-21');
    expect(await readAnchors(anchorFile(folder))).toHaveLength(2);
  });

  test('a line that is no anchor is named', async () => {
    await writeFile(anchorFile(folder), 'tampered\n');
    await expect(readAnchors(anchorFile(folder))).rejects.toThrow(':1: expected date, entry and hash');
  });
});

test('a role that may only append does so for a session alone, in its name, and can neither read nor change the log', async () => {
  await sql`
    DO $$ BEGIN CREATE ROLE popshare_test_appender NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`.execute(
    warehouse.db,
  );
  await sql`GRANT USAGE ON SCHEMA audit TO popshare_test_appender`.execute(warehouse.db);
  await sql`GRANT EXECUTE ON FUNCTION audit.append TO popshare_test_appender`.execute(warehouse.db);
  const { rows } = await sql<{ account_id: number }>`
    INSERT INTO access.account (name, display_name, role) VALUES ('li', 'Li', 'officer') RETURNING account_id`.execute(
    warehouse.db,
  );
  await sql`
    INSERT INTO access.session (token_hash, account_id, expires_at)
    VALUES (sha256('a token'), ${rows[0]?.account_id}, now() + interval '1 hour')`.execute(warehouse.db);
  await warehouse.db.transaction().execute(async (tx) => {
    await sql`SET LOCAL ROLE popshare_test_appender`.execute(tx);
    await sql`SAVEPOINT before`.execute(tx);
    await expect(recordAct(tx, { actor: 'officer', action: 'look' })).rejects.toThrow('must be signed in');
    await sql`ROLLBACK TO before`.execute(tx);
    await sql`SELECT set_config('popshare.session', 'a token', true)`.execute(tx);
    expect(await recordAct(tx, { actor: 'somebody else', action: 'look' })).toBe(1);
    await sql`SAVEPOINT before`.execute(tx);
    for (const statement of [
      'SELECT * FROM audit.entry',
      `UPDATE audit.entry SET actor = 'x'`,
      'DELETE FROM audit.entry',
      'UPDATE audit.head SET entry_id = 0',
    ]) {
      await expect(sql.raw(statement).execute(tx)).rejects.toThrow('permission denied');
      await sql`ROLLBACK TO before`.execute(tx);
    }
  });
  const entries = await sql`SELECT actor FROM audit.entry`.execute(warehouse.db);
  expect(entries.rows).toEqual([{ actor: 'li' }]);
});
