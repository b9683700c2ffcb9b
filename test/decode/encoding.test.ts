import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { encodeField } from '../../src/ingest/decode/encoding.ts';
import { DEFAULT_LIMITS } from '../../src/ingest/decode/limits.ts';
import { decodeAll, fieldsOf, problemsOf } from './reading.ts';

const hex = (digits: string) => Buffer.from(digits, 'hex');

describe('encodings', () => {
  it('finds UTF-8, GB 18030 and UTF-16LE by itself', async () => {
    const table = '编号|姓名\n1|王𠮷\n';
    const sources: [Buffer, string][] = [
      [Buffer.from(table), 'utf-8'],
      [Buffer.from(`\ufeff${table}`), 'utf-8'],
      [iconv.encode(table, 'gb18030'), 'gb18030'],
      [Buffer.from(`\ufeff${table}`, 'utf16le'), 'utf-16le'],
    ];
    for (const [bytes, encoding] of sources) {
      const decoded = await decodeAll(bytes, { delimiter: '|' });
      expect(decoded).toMatchObject({ encoding, header: ['编号', '姓名'] });
      expect(fieldsOf(decoded)).toEqual([['1', '王𠮷']]);
    }
  });

  it('is not misled when the head ends inside a character', async () => {
    const lines = '1,王晓玲王晓玲\n'.repeat(60_000);
    for (const padding of ['', 'x', 'xx', 'xxx']) {
      const decoded = await decodeAll(`编号${padding},姓名\n${lines}`);
      expect(decoded.encoding).toBe('utf-8');
      expect(decoded.rows).toHaveLength(60_000);
    }
  });

  it('lets a byte order mark win over the encoding that the binding names', async () => {
    const decoded = await decodeAll('\ufeff编号,姓名\n1,王\n', { encoding: 'gb18030' });
    expect(decoded.encoding).toBe('utf-8');
    expect(decoded.header).toEqual(['编号', '姓名']);
  });

  it('reads GB 18030 whatever the offset at which the bytes are cut', async () => {
    const rows = [
      ['1', '崆峒区|瓅|丂𠮷', '龴㐀'],
      ['2', '𪚥|"', ' '],
    ];
    const bytes = iconv.encode(
      `编号,住址,备注\r\n${rows.map((row) => row.join(',')).join('\r\n')}`,
      'gb18030',
    );
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const decoded = await decodeAll([bytes.subarray(0, cut), bytes.subarray(cut)], { encoding: 'gb18030' });
      expect(fieldsOf(decoded)).toEqual(rows);
    }
  });

  it('does not take the second byte of a character for a delimiter', async () => {
    const characters = ['亅', '倈', '倐', '焲', '瓅'].filter(
      (one) => iconv.encode(one, 'gb18030')[1] === 0x7c,
    );
    expect(characters.length).toBeGreaterThan(0);
    const decoded = await decodeAll(iconv.encode(`a|b\n${characters.join('')}|2\n`, 'gb18030'), {
      delimiter: '|',
      encoding: 'gb18030',
    });
    expect(fieldsOf(decoded)).toEqual([[characters.join(''), '2']]);
  });

  it('reads GB 18030 across the blocks it works in', async () => {
    const rows = Array.from({ length: 30_000 }, (_, index) => `${index},${'𠮷王㐀'.repeat(1 + (index % 5))}`);
    for (const padding of ['', 'x', 'xx', 'xxx']) {
      const bytes = iconv.encode(`编号,姓名${padding}\n${rows.join('\n')}`, 'gb18030');
      const decoded = await decodeAll(bytes, { encoding: 'gb18030' });
      expect(decoded.rows.map(({ fields }) => fields.join(','))).toEqual(rows);
    }
  });

  it('marks only the lines that do not decode, and gives their bytes back', async () => {
    const good = iconv.encode('编号,姓名\n1,王\n', 'gb18030');
    const bad = Buffer.concat([Buffer.from('2,'), hex('cdf5ff8130cdf5')]);
    const after = iconv.encode('\n3,李\n', 'gb18030');
    for (const quoted of ['', '4,"赵"\n']) {
      const bytes = Buffer.concat([good, bad, after, iconv.encode(quoted, 'gb18030')]);
      const decoded = await decodeAll(bytes, { encoding: 'gb18030' });
      expect(problemsOf(decoded).slice(0, 3)).toEqual([null, 'ENCODING', null]);
      expect(decoded.rows[1]?.fields).toEqual(['2', '王\udcff\udc810王']);
      expect(encodeField(decoded.rows[1]?.fields.join(',') ?? '', decoded.encoding)).toEqual(bad);
      expect(fieldsOf(decoded)[2]).toEqual(['3', '李']);
    }
  });

  it('gives back the bytes of any line, decodable or not', async () => {
    const line = fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => Buffer.from(bytes.filter((byte) => ![0x00, 0x0a, 0x0d, 0x22, 0x2c].includes(byte))));
    await fc.assert(
      fc.asyncProperty(line, async (bytes) => {
        fc.pre(bytes.length > 0);
        const decoded = await decodeAll([Buffer.from('a\n'), bytes], { encoding: 'utf-8' });
        expect(encodeField(decoded.rows[0]?.fields[0] ?? '', 'utf-8')).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
    await fc.assert(
      fc.asyncProperty(line, async (bytes) => {
        fc.pre(bytes.length > 0);
        // Some characters have two spellings in GB 18030: the text must be the same, then the bytes stay as they are.
        const read = async (source: Buffer) =>
          (await decodeAll([Buffer.from('a\n'), source], { encoding: 'gb18030' })).rows[0]?.fields[0] ?? '';
        const first = await read(bytes);
        expect(await read(encodeField(first, 'gb18030'))).toEqual(first);
      }),
      { numRuns: 500 },
    );
  });

  it('gives rows with NUL characters a problem, because Postgres cannot store them', async () => {
    const decoded = await decodeAll('a,b\n1,x\0y\n2,z\n');
    expect(decoded.rows[0]?.problem).toEqual({ code: 'ENCODING', message: '第 2 列含有 NUL 字符（U+0000）' });
    expect(problemsOf(decoded)).toEqual(['ENCODING', null]);
    expect(problemsOf(await decodeAll('a,b\n1,"x\0y"\n2,z\n'))).toEqual(['ENCODING', null]);
  });

  it('refuses a header in another encoding', async () => {
    const bytes = iconv.encode('编号,姓名\n1,王\n', 'gb18030');
    await expect(decodeAll(bytes, { encoding: 'utf-8' })).rejects.toMatchObject({ code: 'SOURCE_ENCODING' });
  });

  it('refuses a source whose first lines are mostly undecodable', async () => {
    const bytes = Buffer.concat([Buffer.from('a,b\n'), ...Array.from({ length: 50 }, () => hex('312cff0a'))]);
    await expect(decodeAll(bytes, { encoding: 'utf-8' })).rejects.toMatchObject({ code: 'SOURCE_ENCODING' });
  });

  it('refuses a source with too many undecodable lines, wherever they are', async () => {
    const good = Buffer.from(`a,b\n${'1,good\n'.repeat(60_000)}`);
    const bad = Buffer.concat(Array.from({ length: 101 }, () => hex('312cff0a')));
    const limits = { ...DEFAULT_LIMITS, undecodableLines: 100 };
    await expect(decodeAll([good, bad], { encoding: 'utf-8', limits })).rejects.toMatchObject({
      code: 'SOURCE_ENCODING',
    });
    const decoded = await decodeAll([good, bad.subarray(4)], { encoding: 'utf-8', limits });
    expect(problemsOf(decoded).filter((problem) => problem === 'ENCODING')).toHaveLength(100);
  });

  it('refuses binary rubbish, and says what it is when it knows', async () => {
    let seed = 1;
    const random = Buffer.from(
      Array.from({ length: 300_000 }, () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        return seed >> 16;
      }),
    );
    for (const bytes of [random, random.subarray(1000, 3000), Buffer.alloc(5000), hex('0102030405')]) {
      await expect(decodeAll(bytes)).rejects.toMatchObject({
        code: expect.stringMatching(/^SOURCE_(FORMAT|ENCODING)$/),
      });
    }
    for (const [signature, name] of [
      ['504b0304', '.xlsx'],
      ['d0cf11e0a1b11ae1', '.xls '],
      ['1f8b', 'gzip'],
      ['255044462d', 'PDF'],
    ] as const) {
      await expect(decodeAll(hex(`${signature}0000`))).rejects.toMatchObject({
        code: 'SOURCE_FORMAT',
        message: expect.stringContaining(name),
      });
    }
  });
});
