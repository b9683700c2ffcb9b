import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { decodeRows } from '../../src/ingest/decode/decode.ts';
import { DEFAULT_LIMITS } from '../../src/ingest/decode/limits.ts';
import { decodeAll, problemsOf } from './reading.ts';
import { cell, row, workbook, workbookParts, zip } from './workbook-writer.ts';

const MEBIBYTE = 1024 * 1024;
const tooLarge = { code: 'SOURCE_TOO_LARGE' };
const xlsx = { format: 'xlsx' as const };

/** A stream of `count` pieces that counts how many were asked for. */
function counted(head: string, piece: Buffer, count: number): { source: Readable; produced: () => number } {
  let produced = 0;
  const source = Readable.from(
    (function* () {
      yield Buffer.from(head);
      for (; produced < count; produced += 1) yield piece;
    })(),
    { highWaterMark: 1 },
  );
  return { source, produced: () => produced };
}

describe('limits', () => {
  it('refuses a line of 200 MB after reading little more than a row may have', async () => {
    for (const head of ['a,b\n1,2\n', 'a,b\n1,"', '']) {
      const { source, produced } = counted(head, Buffer.alloc(MEBIBYTE / 4, 'x'), 800);
      await expect(decodeAll(source)).rejects.toMatchObject(tooLarge);
      expect(produced()).toBeLessThan(20);
    }
  });

  it('takes a row as long as the limit and refuses one that is longer', async () => {
    const limits = { ...DEFAULT_LIMITS, rowBytes: 400_000 };
    const long = (length: number) => `a,b\n1,${'x'.repeat(length - 2)}\n${'3,4\n'.repeat(100_000)}`;
    expect((await decodeAll(long(400_000), { limits })).rows).toHaveLength(100_001);
    await expect(decodeAll(long(400_001), { limits })).rejects.toMatchObject(tooLarge);
  });

  it('refuses 10,000 columns in a header; in a row they are that row’s problem', async () => {
    const wide = Array.from({ length: 10_000 }, (_, index) => `c${index}`).join(',');
    await expect(decodeAll(`${wide}\n`)).rejects.toMatchObject(tooLarge);
    expect(problemsOf(await decodeAll(`a,b\n${wide}\n1,2\n`))).toEqual(['COLUMN_COUNT', null]);
    const object = JSON.stringify(Object.fromEntries(wide.split(',').map((name) => [name, '1'])));
    await expect(decodeAll(object, { format: 'jsonl' })).rejects.toMatchObject(tooLarge);
    const sheet = row(...wide.split(',').map(cell));
    await expect(decodeAll(workbook({ rows: sheet }), xlsx)).rejects.toMatchObject(tooLarge);
  });

  it('refuses gzip that expands without measure', async () => {
    const bomb = gzipSync(`a,b\n${'1,2\n'.repeat(5 * MEBIBYTE)}`);
    await expect(decodeAll(bomb, { gzip: true })).rejects.toMatchObject(tooLarge);
    const limits = { ...DEFAULT_LIMITS, expansionRatio: Number.POSITIVE_INFINITY, gzipBytes: 2 * MEBIBYTE };
    await expect(decodeAll(bomb, { gzip: true, limits })).rejects.toMatchObject(tooLarge);
  });

  it('refuses workbooks that expand without measure, in any part', async () => {
    const many = row(cell('a')).repeat(400_000);
    const parts = workbookParts({ rows: row(cell('a')) });
    for (const bomb of [
      workbook({ rows: many }),
      workbook({ rows: row(cell('a')), sharedStrings: `<si><t>${'x'.repeat(20 * MEBIBYTE)}</t></si>` }),
      zip({ ...parts, 'xl/styles.xml': `<styleSheet>${'<xf/>'.repeat(4 * MEBIBYTE)}</styleSheet>` }),
    ]) {
      await expect(decodeAll(bomb, xlsx)).rejects.toMatchObject(tooLarge);
    }
  });

  it('holds each limit of a workbook', async () => {
    const rows = row(cell('a')) + row(cell('1')).repeat(2000);
    const sharedStrings = '<si><t>x</t></si>'.repeat(2000);
    for (const limits of [
      { workbookBytes: 50_000 },
      { workbookBytes: 500 },
      { archiveEntries: 3 },
      { rowBytes: 100 },
    ]) {
      const text = { rows: 'rowBytes' in limits ? row(cell('a'), cell('x'.repeat(101))) : rows };
      const options = { ...xlsx, limits: { ...DEFAULT_LIMITS, ...limits } };
      await expect(decodeAll(workbook(text), options)).rejects.toMatchObject(tooLarge);
    }
    const limits = { ...DEFAULT_LIMITS, sharedStringBytes: 10_000 };
    await expect(decodeAll(workbook({ rows, sharedStrings }), { ...xlsx, limits })).rejects.toMatchObject(
      tooLarge,
    );
  });

  it('leaves no temporary file behind, not even while it reads', async () => {
    // Of its own: other tests make temporary files at the same time.
    const folder = await mkdtemp(path.join(tmpdir(), 'popshare-limits-'));
    vi.stubEnv('TMPDIR', folder);
    try {
      const source = Readable.from([workbook({ rows: row(cell('a')) + row(cell('1')) })]);
      await using decoded = await decodeRows(source, { format: 'xlsx', gzip: false });
      expect(decoded.header).toEqual(['a']);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true });
    }
  });
});
