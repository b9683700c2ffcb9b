import type { ColumnKind } from '../model/model-file.ts';

/** The type of a column of each kind in Postgres. */
export const COLUMN_TYPES: Readonly<Record<ColumnKind, string>> = {
  text: 'text',
  exact: 'text',
  digits: 'text',
  date: 'text',
  number: 'float8',
  list: 'text[]',
};

/** A value as it is compared, in the text form of its column's type; null when there is none. */
export const NORMALISERS: Readonly<Record<ColumnKind, (given: string) => string | null>> = {
  text: (given) => orNull(folded(given)),
  exact: (given) => orNull(given.trim()),
  digits: (given) => orNull(digitsOf(given)),
  date: (given) => {
    const parts = /^\s*(\d{4})\D+(\d{1,2})\D+(\d{1,2})/.exec(given.normalize('NFKC'));
    // Not checked against the calendar: a mistyped date still compares digit by digit.
    if (parts === null) return orNull(digitsOf(given).slice(0, 8));
    const [, year = '', month = '', day = ''] = parts;
    return year + month.padStart(2, '0') + day.padStart(2, '0');
  },
  number: (given) => {
    const text = given.normalize('NFKC').trim();
    return /^[-+]?\d{1,15}(\.\d{1,15})?$/.test(text) ? text : null;
  },
  list: (given) => {
    const words = new Set(given.split(/[;,|；，、]/).map(folded));
    words.delete('');
    return words.size === 0 ? null : `{${[...words].sort().map(quoted).join(',')}}`;
  },
};

function folded(given: string): string {
  return given.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

function digitsOf(given: string): string {
  return given.normalize('NFKC').replace(/\D/g, '');
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

/** An element of an array literal (PostgreSQL manual, "Array Input and Output Syntax"). */
function quoted(word: string): string {
  return `"${word.replace(/[\\"]/g, '\\$&')}"`;
}
