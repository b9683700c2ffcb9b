import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decodeRows } from '../../src/ingest/decode/decode.ts';
import { decodeAll, fieldsOf, problemsOf } from './reading.ts';

const fixtures = new URL('../fixtures/deliveries/', import.meta.url);
/**
 * Private-use characters whose bytes are others since GB 18030-2022, which we read by; the encoder of these tests writes
 * by the edition before. U+E5E5 it writes wrongly.
 */
const OTHERWISE_ENCODED = /[\ue5e5\ue78d-\ue796\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864]/u;
const text = fc
  .string({ unit: 'binary' })
  .filter((value) => value.isWellFormed() && !value.includes('\0') && !OTHERWISE_ENCODED.test(value));

function writeCsv(table: string[][], delimiter: string, lineEnd: string): string {
  const field = (value: string) =>
    value === '' || /["\r\n]/.test(value) || value.includes(delimiter)
      ? `"${value.replaceAll('"', '""')}"`
      : value;
  return table.map((record) => record.map(field).join(delimiter) + lineEnd).join('');
}

function pieces(bytes: Buffer, sizes: number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

describe('CSV', () => {
  it('reads the sample deliveries', async () => {
    const deaths = await decodeAll(
      createReadStream(new URL('civil-affairs/death_registration_20261118.csv', fixtures)),
    );
    expect(deaths.encoding).toBe('gb18030');
    expect(deaths.header).toEqual(
      '火化编号,证件号码,姓名,性别,出生日期,死亡日期,火化日期,生前住址,更新时间'.split(','),
    );
    expect(deaths.rows).toHaveLength(190);
    expect(deaths.rows[0]?.line).toBe(2);
    expect(deaths.rows[189]?.line).toBe(191);
    const marriages = await decodeAll(
      createReadStream(new URL('civil-affairs/marriage_registration_20261119.csv', fixtures)),
    );
    expect(marriages.encoding).toBe('utf-8');
    expect(marriages.header[0]).toBe('登记证号');
    expect(marriages.rows).toHaveLength(15);
  });

  it('reads back any table that a CSV writer wrote', async () => {
    const shape = fc.integer({ min: 1, max: 5 }).chain((columns) =>
      fc.record({
        rows: fc.array(fc.array(text, { minLength: columns, maxLength: columns }), { maxLength: 6 }),
        columns: fc.constant(columns),
        delimiter: fc.constantFrom(',', '|', '\t', ';'),
        lineEnd: fc.constantFrom('\n', '\r\n'),
        encoding: fc.constantFrom('utf-8' as const, 'gb18030' as const),
        sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(shape, async ({ rows, columns, delimiter, lineEnd, encoding, sizes }) => {
        const header = Array.from({ length: columns }, (_, index) => `列${index}`);
        const bytes = iconv.encode(writeCsv([header, ...rows], delimiter, lineEnd), encoding);
        const decoded = await decodeAll(pieces(bytes, sizes), { delimiter, encoding });
        expect(decoded.header).toEqual(header);
        expect(fieldsOf(decoded)).toEqual(rows);
        expect(problemsOf(decoded).every((problem) => problem === null)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('reads the bytes that GB 18030-2022 gave to other characters as these', async () => {
    const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from('fe66a6d9', 'hex'), Buffer.from('\n')]);
    expect(fieldsOf(await decodeAll(pieces(bytes, [1]), { encoding: 'gb18030' }))).toEqual([
      ['\u9fb6\ufe10'],
    ]);
  });

  it('reads the same rows whether or not a quote comes late in a large file', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `${index},崆峒区第${index}号,备注`);
    const plain = await decodeAll(`编号,地址,备注\n${lines.join('\n')}\n`);
    const quoted = await decodeAll(`编号,地址,备注\n${lines.join('\n')}\n20000,"崆峒区,""东""\n",备注\n`);
    expect(quoted.rows.slice(0, 20_000)).toEqual(plain.rows);
    expect(quoted.rows[20_000]).toEqual({
      line: 20_002,
      fields: ['20000', '崆峒区,"东"\n', '备注'],
      problem: null,
    });
  });

  it('takes LF, CRLF, blank lines and a last line without an end', async () => {
    for (const source of ['a,b\n1,2\n\n3,4', 'a,b\r\n\r\n1,2\r\n3,4\r\n', '\n\na,b\n1,2\r\n3,4\n\n\n']) {
      const decoded = await decodeAll(source);
      expect(decoded.header).toEqual(['a', 'b']);
      expect(decoded.rows.map(({ line, fields }) => [line, fields])).toEqual([
        [2, ['1', '2']],
        [3, ['3', '4']],
      ]);
    }
  });

  it('trims the names of the header, and nothing else', async () => {
    const decoded = await decodeAll('\ufeff 编号 ,　姓名\n 1 ,王 \n');
    expect(decoded.header).toEqual(['编号', '姓名']);
    expect(fieldsOf(decoded)).toEqual([[' 1 ', '王 ']]);
  });

  it('keeps a ragged row whole and says what is wrong with it', async () => {
    const decoded = await decodeAll('a,b,c\n1,2\n1,2,3\n1,2,3,4\n');
    expect(decoded.rows).toEqual([
      { line: 2, fields: ['1', '2'], problem: { code: 'COLUMN_COUNT', message: '应有 3 列，实有 2 列' } },
      { line: 3, fields: ['1', '2', '3'], problem: null },
      {
        line: 4,
        fields: ['1', '2', '3', '4'],
        problem: { code: 'COLUMN_COUNT', message: '应有 3 列，实有 4 列' },
      },
    ]);
  });

  it('lets a stray quote in an unquoted field harm no row at all', async () => {
    const decoded = await decodeAll('a,b\n1,5"管\n2,x"\n3,y\n');
    expect(fieldsOf(decoded)).toEqual([
      ['1', '5"管'],
      ['2', 'x"'],
      ['3', 'y'],
    ]);
  });

  it('lets text behind a closing quote harm only its own row', async () => {
    const decoded = await decodeAll('a,b\n"x"y,1\n2,"z"\n3,w\n');
    expect(fieldsOf(decoded).slice(1)).toEqual([
      ['2', 'z'],
      ['3', 'w'],
    ]);
  });

  it('refuses a quote that is never closed', async () => {
    await expect(decodeAll('a,b\n1,"x\n2,y\n3,z\n')).rejects.toMatchObject({ code: 'SOURCE_FORMAT' });
    const endless = `a,b\n1,"x\n${'2,y\n'.repeat(400_000)}`;
    await expect(decodeAll(endless)).rejects.toMatchObject({
      code: 'SOURCE_TOO_LARGE',
      message: expect.stringContaining('never closed'),
    });
  });

  it('has no rows when there is only a header, and is empty without one', async () => {
    expect((await decodeAll('a,b\n')).rows).toEqual([]);
    expect((await decodeAll('a,b')).rows).toEqual([]);
    await expect(decodeAll('')).rejects.toMatchObject({ code: 'SOURCE_EMPTY' });
    await expect(decodeAll('\n\r\n\n')).rejects.toMatchObject({ code: 'SOURCE_EMPTY' });
    await expect(decodeAll(gzipSync(''), { gzip: true })).rejects.toMatchObject({ code: 'SOURCE_EMPTY' });
  });

  it('refuses a header that is none', async () => {
    for (const header of ['a,b,a', 'a,,', ',,', 'a\rb\rc']) {
      await expect(decodeAll(`${header}\n1,2,3\n`)).rejects.toMatchObject({ code: 'SOURCE_FORMAT' });
    }
  });

  it('reads gzip, of several members too, and refuses one that is cut off', async () => {
    const packed = Buffer.concat([gzipSync('a,b\n1,2\n'), gzipSync('3,4\n')]);
    expect(fieldsOf(await decodeAll(packed, { gzip: true }))).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    const cut = gzipSync(`a,b\n${'1,2\n'.repeat(1000)}`).subarray(0, -12);
    await expect(decodeAll(cut, { gzip: true })).rejects.toMatchObject({ code: 'SOURCE_FORMAT' });
    await expect(decodeAll('a,b\n1,2\n', { gzip: true })).rejects.toMatchObject({ code: 'SOURCE_FORMAT' });
  });

  it('hands rows on in batches of at most 2,000', async () => {
    const source = Readable.from([Buffer.from(`a\n${'1\n'.repeat(5000)}`)]);
    const sizes: number[] = [];
    for await (const batch of (await decodeRows(source, { format: 'csv', gzip: false })).rows)
      sizes.push(batch.length);
    expect(Math.max(...sizes)).toBe(2000);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(5000);
  });

  it('closes the source when the consumer stops early, or never starts', async () => {
    for (const line of ['1,x\n', '1,"x"\n']) {
      for (const start of [true, false]) {
        let produced = 0;
        const source = Readable.from(
          (function* () {
            yield Buffer.from('a,b\n');
            for (; produced < 2000; produced += 1) yield Buffer.from(line.repeat(10_000));
          })(),
        );
        const decoded = await decodeRows(source, { format: 'csv', gzip: false });
        if (start) for await (const _batch of decoded.rows) break;
        else await decoded[Symbol.asyncDispose]();
        expect(source.destroyed).toBe(true);
        expect(produced).toBeLessThan(200);
      }
    }
  });

  it('reports a source that fails half-way', async () => {
    const source = Readable.from(
      (function* () {
        yield Buffer.from('a,b\n1,2\n');
        throw new Error('connection reset');
      })(),
    );
    await expect(decodeAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });
});
