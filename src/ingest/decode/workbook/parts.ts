import path from 'node:path';
import { PopshareError } from '../../../schema/errors.ts';
import type { Limits } from '../limits.ts';
import type { Archive } from './archive.ts';
import { isDateFormat } from './cell.ts';
import { type XmlEvents, xmlReader } from './xml.ts';

/** What the cells of a sheet refer to. */
export interface WorkbookParts {
  /** The part of the first visible sheet. */
  sheet: string;
  sharedStrings: string[];
  /** For each cell style, whether it shows a number as a date or time. */
  dateStyles: boolean[];
  /** Whether day 0 is 1904-01-01, as in workbooks from old Macintosh versions. */
  from1904: boolean;
}

/** Finds the parts of a SpreadsheetML workbook (ECMA-376 part 1, 12.3) and reads all but the sheet. */
export async function readParts(archive: Archive, limits: Limits): Promise<WorkbookParts> {
  const workbook = (await relationships(archive, '', limits)).find(
    ({ type }) => type === 'officeDocument',
  )?.target;
  if (workbook === undefined) throw new PopshareError('SOURCE_FORMAT', 'The archive holds no workbook.');
  const related = await relationships(archive, workbook, limits);
  const { sheetIds, from1904 } = await readWorkbook(archive, workbook, limits);
  const sheets = related.filter(({ type }) => type === 'worksheet');
  const sheet = sheetIds
    .map((id) => sheets.find((candidate) => candidate.id === id))
    .find((found) => found !== undefined);
  if (sheet === undefined) throw new PopshareError('SOURCE_FORMAT', 'The workbook has no visible sheet.');
  const strings = related.find(({ type }) => type === 'sharedStrings');
  const styles = related.find(({ type }) => type === 'styles');
  return {
    sheet: sheet.target,
    sharedStrings: strings === undefined ? [] : await readSharedStrings(archive, strings.target, limits),
    dateStyles: styles === undefined ? [] : await readDateStyles(archive, styles.target, limits),
    from1904,
  };
}

/** What these parts say is held in memory, so their size is limited. */
async function readPart(archive: Archive, part: string, events: XmlEvents, limits: Limits): Promise<void> {
  const reader = xmlReader(part, events, limits);
  let size = 0;
  for await (const bytes of archive.read(part)) {
    size += bytes.length;
    if (size > limits.sharedStringBytes) {
      throw new PopshareError(
        'SOURCE_TOO_LARGE',
        `The workbook's ${part} is larger than ${limits.sharedStringBytes} bytes.`,
      );
    }
    reader.write(bytes);
  }
  reader.end();
}

interface Relationship {
  id: string;
  /** The last segment of the type's URI, which the transitional and the strict variant share. */
  type: string;
  target: string;
}

/** @param source a part, or '' for the package itself */
async function relationships(archive: Archive, source: string, limits: Limits): Promise<Relationship[]> {
  const folder = path.posix.dirname(source);
  const part = path.posix.join(folder, '_rels', `${path.posix.basename(source)}.rels`);
  const found: Relationship[] = [];
  const events: XmlEvents = {
    open(name, attributes) {
      const { Id: id, Type: type, Target: target } = attributes;
      if (name !== 'Relationship' || id === undefined || type === undefined || target === undefined) return;
      const resolved = target.startsWith('/') ? target.slice(1) : path.posix.join(folder, target);
      found.push({ id, type: type.slice(type.lastIndexOf('/') + 1), target: resolved });
    },
  };
  if (archive.has(part)) await readPart(archive, part, events, limits);
  return found;
}

async function readWorkbook(
  archive: Archive,
  part: string,
  limits: Limits,
): Promise<{ sheetIds: string[]; from1904: boolean }> {
  const sheetIds: string[] = [];
  let from1904 = false;
  const events: XmlEvents = {
    open(name, attributes) {
      if (name === 'workbookPr') from1904 = ['1', 'true'].includes(attributes['date1904'] ?? '');
      if (name !== 'sheet' || (attributes['state'] ?? 'visible') !== 'visible') return;
      const id = Object.keys(attributes).find((key) => key.endsWith(':id'));
      if (id !== undefined) sheetIds.push(attributes[id] ?? '');
    },
  };
  await readPart(archive, part, events, limits);
  return { sheetIds, from1904 };
}

async function readSharedStrings(archive: Archive, part: string, limits: Limits): Promise<string[]> {
  const strings: string[] = [];
  const collector = textCollector();
  const events: XmlEvents = {
    open: collector.open,
    text: collector.text,
    close(name) {
      collector.close(name);
      if (name === 'si') strings.push(collector.take());
    },
  };
  await readPart(archive, part, events, limits);
  return strings;
}

/** Collects the text of `t` elements: runs of rich text are joined, phonetic hints (`rPh`) left out. */
export function textCollector(): Required<XmlEvents> & { take(): string } {
  let text = '';
  let inText = false;
  let phonetic = false;
  return {
    open(name) {
      if (name === 'rPh') phonetic = true;
      inText = name === 't' && !phonetic;
    },
    text(part) {
      if (inText) text += part;
    },
    close(name) {
      if (name === 'rPh') phonetic = false;
      if (name === 't') inText = false;
    },
    take() {
      const taken = text;
      text = '';
      return unescapeText(taken);
    },
  };
}

/** ST_Xstring (ECMA-376 part 1, 22.9.2.19): `_x000D_` stands for U+000D. */
export function unescapeText(text: string): string {
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

async function readDateStyles(archive: Archive, part: string, limits: Limits): Promise<boolean[]> {
  const codes = new Map<string, string>();
  const formats: string[] = [];
  let inCellFormats = false;
  const events: XmlEvents = {
    open(name, attributes) {
      if (name === 'numFmt') codes.set(attributes['numFmtId'] ?? '', attributes['formatCode'] ?? '');
      if (name === 'cellXfs') inCellFormats = true;
      if (name === 'xf' && inCellFormats) formats.push(attributes['numFmtId'] ?? '0');
    },
    close(name) {
      if (name === 'cellXfs') inCellFormats = false;
    },
  };
  await readPart(archive, part, events, limits);
  return formats.map((id) => isDateFormat(Number(id), codes.get(id)));
}
