/** How large a source may be before it is refused with SOURCE_TOO_LARGE. `docs/limits.md` says why. */
export interface Limits {
  /** Bytes of one row: one line of CSV or JSON lines; the text of all cells of one spreadsheet row. */
  rowBytes: number;
  columns: number;
  /** Bytes that a gzip file may expand to. */
  gzipBytes: number;
  /** Bytes that the parts of a workbook may expand to, taken together; also the size of the workbook itself. */
  workbookBytes: number;
  /** Expanded bytes to compressed bytes, of a gzip file or of one part of a workbook. */
  expansionRatio: number;
  /** The ratio is not looked at before this many expanded bytes. */
  expansionRatioFrom: number;
  /** Bytes of a workbook's shared strings, and of each other part that is held in memory: all but the sheet. */
  sharedStringBytes: number;
  /** Files in a workbook's archive. */
  archiveEntries: number;
  /** Lines that do not decode; beyond, the source is refused with SOURCE_ENCODING. */
  undecodableLines: number;
}

const MEBIBYTE = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = {
  rowBytes: MEBIBYTE,
  columns: 2_000,
  gzipBytes: 4096 * MEBIBYTE,
  workbookBytes: 1024 * MEBIBYTE,
  expansionRatio: 200,
  expansionRatioFrom: 10 * MEBIBYTE,
  sharedStringBytes: 256 * MEBIBYTE,
  archiveEntries: 10_000,
  undecodableLines: 10_000,
};
