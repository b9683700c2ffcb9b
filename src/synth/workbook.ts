import { once } from 'node:events';
import { crc32, createDeflateRaw } from 'node:zlib';
import { ENOUGH_TO_WRITE, type HashedFile, type RowWriter } from './row-writer.ts';

/**
 * A workbook of one sheet, written as it goes: ECMA-376 with inline strings, in a ZIP whose sheet is a deflated
 * stream with its sizes behind it (APPNOTE 6.3.10, section 4.3.9). Dates in the archive are fixed, so the same
 * rows give the same bytes.
 */
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const PARTS: readonly (readonly [string, string])[] = [
  [
    '[Content_Types].xml',
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
      '<Default Extension="xml" ContentType="application/xml"/>' +
      '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>' +
      '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>' +
      '</Types>',
  ],
  [
    '_rels/.rels',
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' +
      '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>' +
      '</Relationships>',
  ],
  [
    'xl/workbook.xml',
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">' +
      '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
  ],
  [
    'xl/_rels/workbook.xml.rels',
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' +
      '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>' +
      '</Relationships>',
  ],
];
const SHEET_BEGINS = `${DECLARATION}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`;
const SHEET_ENDS = '</sheetData></worksheet>';

interface Entry {
  name: string;
  method: 0 | 8;
  crc: number;
  packed: number;
  unpacked: number;
  offset: number;
}

/** Opens a workbook with a header row. All cells are text. */
export async function openWorkbook(file: HashedFile, columns: readonly string[]): Promise<RowWriter> {
  const archive = new Archive(file);
  for (const [name, xml] of PARTS) await archive.store(name, Buffer.from(DECLARATION + xml));
  const sheet = await archive.deflate('xl/worksheets/sheet1.xml');
  let pending = SHEET_BEGINS + rowXml(columns, 1);
  let rows = 0;
  const append = async () => {
    const text = pending;
    pending = '';
    await sheet.append(Buffer.from(text));
  };
  return {
    add(values) {
      rows += 1;
      pending += rowXml(values, rows + 1);
    },
    async flush() {
      if (pending.length > ENOUGH_TO_WRITE) await append();
    },
    async close() {
      pending += SHEET_ENDS;
      await append();
      await sheet.end();
      await archive.end();
      return { rows, sha256: await file.close() };
    },
  };
}

function rowXml(values: readonly string[], row: number): string {
  const cells = values.map((value, index) => {
    if (value === '') return '';
    const text = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    return `<c r="${columnLetter(index)}${row}" t="inlineStr"><is><t>${text}</t></is></c>`;
  });
  return `<row r="${row}">${cells.join('')}</row>`;
}

/** A for the first column; no feed has more than 26. */
function columnLetter(index: number): string {
  return String.fromCharCode(65 + index);
}

/** The parts of a ZIP file that a workbook needs. Sizes stay below 4 GiB, so it is not ZIP64. */
class Archive {
  readonly #file: HashedFile;
  readonly #entries: Entry[] = [];
  #offset = 0;

  constructor(file: HashedFile) {
    this.#file = file;
  }

  async store(name: string, content: Buffer): Promise<void> {
    const size = content.length;
    const entry: Entry = {
      name,
      method: 0,
      crc: crc32(content),
      packed: size,
      unpacked: size,
      offset: this.#offset,
    };
    this.#entries.push(entry);
    await this.#append(localHeader(entry, false));
    await this.#append(content);
  }

  /** Begins an entry whose content comes in pieces. */
  async deflate(name: string): Promise<{ append(bytes: Buffer): Promise<void>; end(): Promise<void> }> {
    const entry: Entry = { name, method: 8, crc: 0, packed: 0, unpacked: 0, offset: this.#offset };
    this.#entries.push(entry);
    await this.#append(localHeader(entry, true));
    const stream = createDeflateRaw();
    const packing = (async () => {
      for await (const bytes of stream) {
        entry.packed += bytes.length;
        await this.#append(bytes);
      }
    })();
    return {
      append: async (bytes) => {
        entry.crc = crc32(bytes, entry.crc);
        entry.unpacked += bytes.length;
        if (!stream.write(bytes)) await once(stream, 'drain');
      },
      end: async () => {
        stream.end();
        await packing;
        await this.#append(numbers([4, 0x08074b50], [4, entry.crc], [4, entry.packed], [4, entry.unpacked]));
      },
    };
  }

  async end(): Promise<void> {
    const begins = this.#offset;
    for (const entry of this.#entries) await this.#append(directoryHeader(entry));
    const count = this.#entries.length;
    const size = this.#offset - begins;
    await this.#append(
      numbers([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, begins], [2, 0]),
    );
  }

  async #append(bytes: Buffer): Promise<void> {
    this.#offset += bytes.length;
    await this.#file.append(bytes);
  }
}

/** Names are UTF-8 (bit 11); sizes follow the content (bit 3). The date is 1 January 1980. */
const UTF8_NAME = 0x0800;
const SIZES_FOLLOW = 0x0008;
const VERSION = 20;
const FIRST_DOS_DATE = 0x0021;

function localHeader(entry: Entry, streamed: boolean): Buffer {
  const name = Buffer.from(entry.name);
  return Buffer.concat([
    numbers(
      [4, 0x04034b50],
      [2, VERSION],
      [2, streamed ? UTF8_NAME | SIZES_FOLLOW : UTF8_NAME],
      [2, entry.method],
      [2, 0],
      [2, FIRST_DOS_DATE],
      [4, entry.crc],
      [4, entry.packed],
      [4, entry.unpacked],
      [2, name.length],
      [2, 0],
    ),
    name,
  ]);
}

function directoryHeader(entry: Entry): Buffer {
  const name = Buffer.from(entry.name);
  return Buffer.concat([
    numbers(
      [4, 0x02014b50],
      [2, VERSION],
      [2, VERSION],
      [2, entry.method === 8 ? UTF8_NAME | SIZES_FOLLOW : UTF8_NAME],
      [2, entry.method],
      [2, 0],
      [2, FIRST_DOS_DATE],
      [4, entry.crc],
      [4, entry.packed],
      [4, entry.unpacked],
      [2, name.length],
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, entry.offset],
    ),
    name,
  ]);
}

/** Unsigned little-endian numbers, each with its width in bytes. */
function numbers(...fields: readonly (readonly [2 | 4, number])[]): Buffer {
  const bytes = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
  let offset = 0;
  for (const [width, value] of fields) offset = bytes.writeUIntLE(value, offset, width);
  return bytes;
}
