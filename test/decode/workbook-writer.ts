import { crc32, deflateRawSync } from 'node:zlib';

/** A ZIP archive (APPNOTE 6.3) of deflated parts. */
export function zip(parts: Record<string, string | Buffer>): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(parts)) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('504b01021400', 'hex'), common, tail, Buffer.from(name)]));
    files.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32BE(0x504b0506, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, listing, end]);
}

const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

function relationships(targets: Record<string, string>): string {
  const lines = Object.entries(targets).map(
    ([type, target], index) =>
      `<Relationship Id="rId${index + 1}" Type="${RELATIONSHIPS}/${type}" Target="${target}"/>`,
  );
  return `<?xml version="1.0"?><Relationships>${lines.join('')}</Relationships>`;
}

interface WorkbookText {
  /** Content of `sheetData`. */
  rows: string;
  sharedStrings?: string;
  styles?: string;
  workbookProperties?: string;
  /** `<sheet>` elements; the data sheet is `rId1`. */
  sheets?: string;
}

/** The parts of a workbook whose XML the test writes itself. */
export function workbookParts(text: WorkbookText): Record<string, string> {
  const sheets = text.sheets ?? '<sheet name="名单" sheetId="1" r:id="rId1"/>';
  return {
    '_rels/.rels': relationships({ officeDocument: 'xl/workbook.xml' }),
    'xl/workbook.xml': `<workbook xmlns:r="${RELATIONSHIPS}">${text.workbookProperties ?? ''}<sheets>${sheets}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationships({
      worksheet: 'worksheets/sheet1.xml',
      sharedStrings: 'sharedStrings.xml',
      styles: '/xl/styles.xml',
    }),
    'xl/worksheets/sheet1.xml': `<worksheet><sheetData>${text.rows}</sheetData></worksheet>`,
    'xl/sharedStrings.xml': `<sst>${text.sharedStrings ?? ''}</sst>`,
    'xl/styles.xml': `<styleSheet>${text.styles ?? ''}</styleSheet>`,
  };
}

export function workbook(text: WorkbookText): Buffer {
  return zip(workbookParts(text));
}

/** A cell with an inline string. */
export function cell(text: string): string {
  return `<c t="inlineStr"><is><t xml:space="preserve">${text}</t></is></c>`;
}

export function row(...cells: string[]): string {
  return `<row>${cells.join('')}</row>`;
}
