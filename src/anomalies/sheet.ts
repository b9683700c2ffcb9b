import writeWorkbook from 'write-excel-file/node';

/** A table for people outside: columns with their headings and widths in characters, rows of text. */
export interface Sheet {
  readonly name: string;
  /** Who took it out, when and why: the first row, where the table is not to come back. */
  readonly watermark?: string;
  /** How to fill it in: lines of a second sheet. */
  readonly guide: readonly string[];
  readonly columns: readonly {
    readonly heading: string;
    readonly width: number;
    readonly toFill?: boolean;
  }[];
  readonly rows: readonly (readonly string[])[];
}

/** The column that says who took a table out that is to come back: readers of its answers leave it aside. */
export const MARK = '导出标记';
/** What is to be filled in is told by its colour. */
const TO_FILL = '#FFF2CC';
const HEADING = '#D9E1F2';
const WATERMARK = '#C00000';
/** Excel takes no more for the name of a sheet, and none of these characters. */
const sheetName = (name: string): string => name.replaceAll(/[\\/?*[\]:]/g, ' ').slice(0, 31);

/** The table as a workbook (XLSX) with its headings in view. Everything is text: leading zeros stay. */
export async function workbookOf(sheet: Sheet): Promise<Buffer> {
  const headings = sheet.columns.map(({ heading, toFill }) => ({
    value: heading,
    fontWeight: 'bold' as const,
    backgroundColor: toFill ? TO_FILL : HEADING,
  }));
  const rows = sheet.rows.map((row) => row.map((value) => ({ value, type: String, wrap: true })));
  const above =
    sheet.watermark === undefined
      ? []
      : [[{ value: sheet.watermark, textColor: WATERMARK, columnSpan: headings.length }]];
  return writeWorkbook([
    {
      sheet: sheetName(sheet.name),
      data: [...above, headings, ...rows],
      columns: sheet.columns.map(({ width }) => ({ width })),
      stickyRowsCount: above.length + 1,
    },
    { sheet: '填表说明', data: sheet.guide.map((line) => [line]), columns: [{ width: 100 }] },
  ]).toBuffer();
}

/** The table as CSV (RFC 4180) in UTF-8 with a byte order mark, as office programs expect it. */
export function csvOf(sheet: Sheet): Buffer {
  const above = sheet.watermark === undefined ? [] : [[sheet.watermark]];
  const lines = [...above, sheet.columns.map(({ heading }) => heading), ...sheet.rows];
  return Buffer.from(`\uFEFF${lines.map((line) => line.map(quoted).join(',')).join('\r\n')}\r\n`);
}

/** A cell that begins like a formula is text to a spreadsheet only behind an apostrophe. */
function quoted(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
