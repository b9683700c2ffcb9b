import { createReadStream } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeAll, fieldsOf, problemsOf } from './reading.ts';
import { cell, row, workbook, workbookParts, zip } from './workbook-writer.ts';

const xlsx = { format: 'xlsx' as const };
const sample = new URL(
  '../fixtures/deliveries/civil-affairs/subsistence_allowance_20261118.xlsx',
  import.meta.url,
);

const STYLES = `<numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/>
  <numFmt numFmtId="165" formatCode="[h]:mm"/><numFmt numFmtId="166" formatCode="0.00&quot;days&quot;"/></numFmts>
  <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
  <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/>
  <xf numFmtId="166"/><xf numFmtId="31"/></cellXfs>`;

async function numbers(cells: string[], workbookProperties = ''): Promise<string[] | undefined> {
  const rows = row(...cells.map((_, index) => cell(`c${index}`))) + row(...cells);
  return fieldsOf(await decodeAll(workbook({ rows, styles: STYLES, workbookProperties }), xlsx))[0];
}

const styled = (style: number, value: string) => `<c s="${style}"><v>${value}</v></c>`;

describe('workbooks', () => {
  it('reads the sample delivery, packed with gzip too', async () => {
    const decoded = await decodeAll(createReadStream(sample), xlsx);
    expect(decoded.header.slice(0, 4)).toEqual(['低保证号', '成员序号', '证件号码', '姓名']);
    expect(decoded.rows).toHaveLength(286);
    expect(decoded.rows[0]?.line).toBe(2);
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(sample)) chunks.push(chunk);
    const packed = await decodeAll(gzipSync(Buffer.concat(chunks)), { ...xlsx, gzip: true });
    expect(packed.rows).toEqual(decoded.rows);
  });

  it('reads shared, inline and formula strings, booleans, errors and calculated values', async () => {
    const sharedStrings =
      '<si><t>姓名</t></si><si><r><t>王</t></r><r><t xml:space="preserve"> 伟</t></r><rPh><t>wang</t></rPh></si><si/>';
    const rows =
      row('<c t="s"><v>0</v></c>', cell('b'), cell('c'), cell('d'), cell('e'), cell('f')) +
      row(
        '<c t="s"><v>1</v></c>',
        '<c t="str"><f>A1&amp;"x"</f><v>算_x000D_出</v></c>',
        '<c><f>1+1</f><v>2</v></c>',
        '<c t="b"><v>1</v></c>',
        '<c t="e"><v>#N/A</v></c>',
        '<c t="d"><v>2026-11-18</v></c>',
      );
    const decoded = await decodeAll(workbook({ rows, sharedStrings }), xlsx);
    expect(decoded.header[0]).toBe('姓名');
    expect(fieldsOf(decoded)).toEqual([['王 伟', '算\r出', '2', 'TRUE', '#N/A', '2026-11-18']]);
  });

  it('keeps the digits of numbers', async () => {
    const written = [
      '620802195110254138',
      '6.2080219511025402E+17',
      '1.1000000000000001',
      '0.5',
      '-3',
      '1E+3',
      '000',
    ];
    expect(await numbers(written.map((value) => styled(0, value)))).toEqual([
      '620802195110254138',
      '620802195110254020',
      '1.1',
      '0.5',
      '-3',
      '1000',
      '000',
    ]);
  });

  it('reads dates by their style', async () => {
    const cells = [
      styled(1, '46344'),
      styled(2, '46344.520833333336'),
      styled(3, '46344'),
      styled(6, '1'),
      styled(1, '59'),
      styled(1, '60'),
      styled(1, '61'),
      styled(2, '0.25'),
      styled(4, '46344'),
      styled(5, '46344.25'),
      styled(0, '46344'),
      styled(1, '20261118'),
    ];
    expect(await numbers(cells)).toEqual([
      '2026-11-18',
      '2026-11-18 12:30:00',
      '2026-11-18',
      '1900-01-01',
      '1900-02-28',
      '1900-02-29',
      '1900-03-01',
      '06:00:00',
      '46344',
      '46344.25',
      '46344',
      '20261118',
    ]);
    expect(await numbers([styled(1, '44882'), styled(1, '0')], '<workbookPr date1904="1"/>')).toEqual([
      '2026-11-18',
      '1904-01-01',
    ]);
  });

  it('puts cells where their references say, skips blank rows and fills short ones', async () => {
    const rows =
      '<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c><c r="B2" t="inlineStr"><is><t>b</t></is></c><c r="C2" t="inlineStr"><is><t>c</t></is></c></row>' +
      '<row r="3"><c r="A3" s="1"/><c r="B3"/></row>' +
      '<row r="4"><c r="B4"><v>2</v></c></row><row r="9"><c r="AA9"><v>27</v></c></row>';
    const decoded = await decodeAll(workbook({ rows }), xlsx);
    expect(decoded.rows[0]).toEqual({ line: 2, fields: ['', '2', ''], problem: null });
    expect(decoded.rows[1]?.fields).toHaveLength(27);
    expect(problemsOf(decoded)).toEqual([null, 'COLUMN_COUNT']);
  });

  it('reads the first visible sheet, and elements with a prefix', async () => {
    const sheets =
      '<sheet name="说明" sheetId="2" state="hidden" r:id="rId9"/><sheet name="名单" sheetId="1" r:id="rId1"/>';
    expect(
      fieldsOf(await decodeAll(workbook({ rows: row(cell('a')) + row(cell('1')), sheets }), xlsx)),
    ).toEqual([['1']]);
    const parts = workbookParts({ rows: '' });
    parts['xl/worksheets/sheet1.xml'] =
      '<x:worksheet xmlns:x="m"><x:sheetData><x:row><x:c t="str"><x:v>a</x:v></x:c></x:row></x:sheetData></x:worksheet>';
    expect((await decodeAll(zip(parts), xlsx)).header).toEqual(['a']);
  });

  it('gives a row with an escaped NUL a problem', async () => {
    const decoded = await decodeAll(workbook({ rows: row(cell('a')) + row(cell('x_x0000_')) }), xlsx);
    expect(problemsOf(decoded)).toEqual(['ENCODING']);
  });

  it('reads more rows than fit into one batch', async () => {
    const rows =
      row(cell('a')) + Array.from({ length: 4500 }, (_, index) => row(cell(String(index)))).join('');
    const decoded = await decodeAll(workbook({ rows }), xlsx);
    expect(fieldsOf(decoded).map(([value]) => Number(value))).toEqual(
      Array.from({ length: 4500 }, (_, i) => i),
    );
  });

  it('refuses what is no workbook, or a broken one', async () => {
    const good = workbook({ rows: row(cell('a')) + row(cell('1')) });
    const parts = workbookParts({ rows: row(cell('a')) });
    const broken: Buffer[] = [
      Buffer.from('a,b\n1,2\n'),
      good.subarray(0, good.length - 30),
      zip({ 'readme.txt': 'x' }),
      zip({ ...parts, 'xl/worksheets/sheet1.xml': '<worksheet><sheetData><row>' }),
      zip({ ...parts, 'xl/worksheets/sheet1.xml': '<!DOCTYPE x><worksheet/>' }),
      zip({ ...parts, 'xl/worksheets/sheet1.xml': '<a>'.repeat(1000) }),
      zip({ ...parts, 'xl/worksheets/sheet1.xml': Buffer.from([0x3c, 0x61, 0x3e, 0xff]).toString('latin1') }),
      workbook({ rows: '<row><c t="s"><v>7</v></c></row>' }),
      workbook({ rows: '<row><c r="ZZZZ1"><v>7</v></c></row>' }),
      workbook({
        rows: row(cell('a')),
        sheets: '<sheet name="a" sheetId="1" state="veryHidden" r:id="rId1"/>',
      }),
    ];
    for (const bytes of broken) {
      await expect(decodeAll(bytes, xlsx)).rejects.toMatchObject({ code: 'SOURCE_FORMAT' });
    }
    await expect(decodeAll('', xlsx)).rejects.toMatchObject({ code: 'SOURCE_EMPTY' });
    await expect(decodeAll(workbook({ rows: '' }), xlsx)).rejects.toMatchObject({ code: 'SOURCE_EMPTY' });
  });
});
