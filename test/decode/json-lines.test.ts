import { createReadStream } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAll, fieldsOf, problemsOf } from './reading.ts';

const fixtures = new URL('../fixtures/deliveries/market-supervision/', import.meta.url);
const jsonl = { format: 'jsonl' as const };

describe('JSON lines', () => {
  it('reads the sample deliveries', async () => {
    const decoded = await decodeAll(createReadStream(new URL('sole_trader_20261119.jsonl', fixtures)), jsonl);
    expect(decoded.header[0]).toBe('registration_no');
    expect(decoded.rows.map(({ line }) => line)).toEqual([1, 2]);
    const columns = ['registration_no', 'status'];
    const empty = createReadStream(new URL('sole_trader_20261120.jsonl', fixtures));
    expect(await decodeAll(empty, { ...jsonl, columns })).toMatchObject({ header: columns, rows: [] });
  });

  it('looks for the columns that it is given, else for the keys of the first object', async () => {
    const lines = '{"a":"1","b":"2"}\n\n{"b":"3","c":"4"}\r\n';
    const first = await decodeAll(lines, jsonl);
    expect(first.header).toEqual(['a', 'b']);
    expect(fieldsOf(first)).toEqual([
      ['1', '2'],
      ['', '3'],
    ]);
    const given = await decodeAll(lines, { ...jsonl, columns: ['c', 'a'] });
    expect(fieldsOf(given)).toEqual([
      ['', '1'],
      ['4', ''],
    ]);
  });

  it('takes other values as their JSON text, with all digits', async () => {
    const line = '{"a":620802195110254138,"b":1.50,"c":true,"d":null,"e":{"x":[1,"y"]},"f":""}';
    expect(fieldsOf(await decodeAll(line, jsonl))).toEqual([
      ['620802195110254138', '1.50', 'true', '', '{"x":[1,"y"]}', ''],
    ]);
  });

  it('gives a line that is no object a problem, and keeps it', async () => {
    const lines = [
      '{"a":"1"}',
      '["a"]',
      '{"a":',
      '"a"',
      'null',
      `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    ];
    const decoded = await decodeAll(`${lines.join('\n')}\n`, jsonl);
    expect(problemsOf(decoded)).toEqual([null, ...Array.from({ length: 5 }, () => 'NOT_AN_OBJECT')]);
    expect(fieldsOf(decoded).slice(1)).toEqual(lines.slice(1).map((line) => [line]));
    await expect(decodeAll('[\n', jsonl)).rejects.toMatchObject({ code: 'SOURCE_FORMAT' });
  });

  it('gives escaped NULs and undecodable bytes a problem', async () => {
    const bad = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
    const decoded = await decodeAll([Buffer.from('{"a":"王"}\n{"a":"\\u0000"}\n'), bad], jsonl);
    expect(problemsOf(decoded)).toEqual([null, 'ENCODING', 'ENCODING']);
    expect(decoded.rows[2]?.fields).toEqual(['\udcff']);
  });
});
