import { PopshareError } from '../../../schema/errors.ts';
import type { Progress } from '../bytes.ts';
import type { Limits } from '../limits.ts';
import { BATCH_ROWS, type RecordBatch } from '../rows.ts';
import type { Archive } from './archive.ts';
import { numberText } from './cell.ts';
import { readParts, textCollector, unescapeText, type WorkbookParts } from './parts.ts';
import { type XmlEvents, xmlReader } from './xml.ts';

/** The widest sheet that ECMA-376 readers open: column XFD. */
const LAST_COLUMN = 16_384;
/** A batch is handed on early when its rows are long. */
const BATCH_WEIGHT = 1024 * 1024;

/**
 * The records of a workbook's first visible sheet, the archive closed behind them. Rows without any text are skipped;
 * rows that end early, because trailing empty cells are not written, are filled up to the width of the first.
 *
 * Throws SOURCE_FORMAT and SOURCE_TOO_LARGE as the parts do.
 */
export async function* workbookRecords(
  archive: Archive,
  limits: Limits,
  progress: Progress,
): AsyncGenerator<RecordBatch> {
  try {
    const parts = await readParts(archive, limits);
    const sheet = sheetReader(parts, limits, progress);
    const reader = xmlReader(parts.sheet, sheet.events, limits);
    for await (const bytes of archive.read(parts.sheet)) {
      reader.write(bytes);
      if (sheet.isFull()) yield { records: sheet.take(), storable: false };
    }
    reader.end();
    yield { records: sheet.take(), storable: false };
  } finally {
    await archive.close();
  }
}

interface SheetReader {
  events: XmlEvents;
  isFull(): boolean;
  take(): string[][];
}

function sheetReader(parts: WorkbookParts, limits: Limits, progress: Progress): SheetReader {
  let records: string[][] = [];
  let weight = 0;
  let width = 0;
  let inData = false;
  let row: string[] = [];
  let rowLength = 0;
  let column = -1;
  let cell = { type: 'n', style: -1, value: '' };
  let inValue = false;
  const inline = textCollector();

  function endCell(): void {
    const text = cellText(cell, inline.take(), parts);
    if (text === '') return;
    while (row.length < column) row.push('');
    row[column] = text;
    rowLength += text.length;
    if (rowLength > limits.rowBytes) {
      const where = `A row after line ${progress.line}`;
      throw new PopshareError(
        'SOURCE_TOO_LARGE',
        `${where} of the sheet has more than ${limits.rowBytes} characters.`,
      );
    }
  }

  function endRow(): void {
    if (row.length === 0) return;
    if (width === 0) width = row.length;
    while (row.length < width) row.push('');
    weight += rowLength + row.length;
    records.push(row);
  }

  return {
    events: {
      open(name, attributes) {
        if (name === 'sheetData') inData = true;
        if (!inData) return;
        if (name === 'row') {
          row = [];
          rowLength = 0;
          column = -1;
        } else if (name === 'c') {
          column = columnOf(attributes['r'], column + 1);
          cell = { type: attributes['t'] ?? 'n', style: Number(attributes['s'] ?? -1), value: '' };
        }
        inValue = name === 'v';
        inline.open(name, attributes);
      },
      text(text) {
        if (inValue) cell.value += text;
        inline.text(text);
      },
      close(name) {
        if (name === 'sheetData') inData = false;
        if (!inData) return;
        inValue = false;
        inline.close(name);
        if (name === 'c') endCell();
        if (name === 'row') endRow();
      },
    },
    isFull: () => records.length >= BATCH_ROWS || weight >= BATCH_WEIGHT,
    take() {
      const taken = records;
      records = [];
      weight = 0;
      return taken;
    },
  };
}

/** Column of a cell reference, from 0: `B7` → 1. Cells without a reference follow each other. */
function columnOf(reference: string | undefined, following: number): number {
  let column = following;
  if (reference !== undefined) {
    column = -1;
    for (const letter of reference.replace(/\d+$/, ''))
      column = (column + 1) * 26 + (letter.charCodeAt(0) - 65);
  }
  if (column >= 0 && column < LAST_COLUMN) return column;
  throw new PopshareError(
    'SOURCE_FORMAT',
    `The sheet has a cell at "${reference ?? column + 1}", which is no place in a sheet.`,
  );
}

/**
 * The value of a cell as text (ECMA-376 part 1, 18.3.1.4 and 18.18.11). Of a formula it is the value that was
 * last calculated; errors are their text, `#N/A`, for the contract to refuse.
 */
function cellText(
  cell: { type: string; style: number; value: string },
  inlineText: string,
  parts: WorkbookParts,
): string {
  if (cell.type === 'inlineStr') return inlineText;
  if (cell.value === '') return '';
  if (cell.type === 's') {
    const shared = parts.sharedStrings[Number(cell.value)];
    if (shared !== undefined) return shared;
    throw new PopshareError(
      'SOURCE_FORMAT',
      `The sheet refers to shared string ${cell.value}, which is missing.`,
    );
  }
  if (cell.type === 'b') return cell.value === '1' ? 'TRUE' : 'FALSE';
  if (cell.type === 'n') return numberText(cell.value, parts.dateStyles[cell.style] === true, parts.from1904);
  return cell.type === 'str' ? unescapeText(cell.value) : cell.value;
}
