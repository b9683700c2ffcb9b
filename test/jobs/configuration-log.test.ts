import { appendFile, cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useCounty } from '../support/drop.ts';

const county = useCounty();

interface Entry {
  readonly actor: string;
  readonly changed: readonly { file: string; before: string | null; after: string | null }[] | null;
  readonly files: number;
}

const entries = (): Promise<Entry[]> =>
  county.query(
    `SELECT actor, detail -> 'changed' AS changed, (SELECT count(*) FROM jsonb_object_keys(detail -> 'files')) AS files
     FROM audit.entry WHERE action = 'configuration' ORDER BY entry_id`,
  );

test('a night under other rules or settings than the one before says so in the audit log, once', async () => {
  const folder = path.join(county.base, 'config');
  await cp('config', folder, { recursive: true });
  await county.configure(folder);
  await county.night('2026-11-18', []);
  await county.night('2026-11-19', []);
  const [first, ...others] = await entries();
  expect(first).toMatchObject({ actor: 'popshare', changed: null });
  expect(Number(first?.files)).toBeGreaterThan(50);
  expect(others).toEqual([]);

  await appendFile(path.join(folder, 'popshare.yaml'), '\n# changed\n');
  await rm(path.join(folder, 'rules', 'DQ01-id-number-invalid.sql'));
  await writeFile(path.join(folder, 'rules', 'notes.txt'), 'why\n');
  await county.night('2026-11-20', []);
  await county.night('2026-11-21', []);
  const digest = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect((await entries()).slice(1)).toMatchObject([
    {
      changed: [
        { file: 'popshare.yaml', before: digest, after: digest },
        { file: 'rules/DQ01-id-number-invalid.sql', before: digest, after: null },
        { file: 'rules/notes.txt', before: null, after: digest },
      ],
    },
  ]);
});
