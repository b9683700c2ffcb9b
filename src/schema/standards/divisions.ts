import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/** One county-level or higher division code (GB/T 2260), for the years in which it had this name. */
interface AreaCode {
  /** Six digits. */
  readonly code: string;
  readonly name: string;
  readonly level: 'province' | 'prefecture' | 'county';
  readonly fromYear: number;
  /** The year in which the code or its name went out of use; null while it is in use. */
  readonly toYear: number | null;
  /** The codes that its territory went to. */
  readonly successors: readonly string[];
}

/** One division of today, of any of the five levels. */
export interface Division {
  /** Twelve digits, filled up with zeros on the right. */
  readonly code: string;
  readonly name: string;
  readonly level: 'province' | 'prefecture' | 'county' | 'township' | 'village';
  /** The code of the division above; null for provinces. */
  readonly parent: string | null;
}

/** The levels, lowest first, with the digits of a 12-digit code that say which division of it one is. */
const LEVELS = [
  { level: 'village', digits: 12 },
  { level: 'township', digits: 9 },
  { level: 'county', digits: 6 },
  { level: 'prefecture', digits: 4 },
  { level: 'province', digits: 2 },
] as const;

const AREA_LEVELS: Readonly<Record<string, AreaCode['level']>> = {
  省级: 'province',
  地级: 'prefecture',
  县级: 'county',
};

let areaCodes: readonly AreaCode[] | undefined;
let areaNames: ReadonlyMap<string, string> | undefined;

/** All division codes of GB/T 2260 since 1981, in ascending order of code. Read once. */
export function loadAreaCodes(): readonly AreaCode[] {
  areaCodes ??= readAreaCodes();
  return areaCodes;
}

/**
 * Whether a code was ever a division's, in any year since 1981 (rule DQ04).
 *
 * @param code6 six digits
 */
export function areaEverAssigned(code6: string): boolean {
  return namesByCode().has(code6);
}

/**
 * The name of a division; of a code that had several, the last.
 *
 * @param code6 six digits
 * @returns null for a code that was never assigned
 */
export function areaName(code6: string): string | null {
  return namesByCode().get(code6) ?? null;
}

/**
 * The divisions of the country from province to village, each after the one above it. About 665,000; they are
 * read as a stream, so that a loader holds one at a time.
 */
export async function* loadDivisions(): AsyncGenerator<Division, void, void> {
  const packed = createReadStream(new URL('./data/divisions.tsv.gz', import.meta.url));
  const above = new Set<string>();
  let code = 0;
  for await (const line of createInterface({ input: packed.pipe(createGunzip()) })) {
    const tab = line.indexOf('\t');
    code += Number(line.slice(0, tab));
    const division = divisionOf(String(code), line.slice(tab + 1), above);
    if (division.level !== 'village') above.add(division.code);
    yield division;
  }
}

function divisionOf(code: string, name: string, above: ReadonlySet<string>): Division {
  const index = LEVELS.findLastIndex(({ digits }) => Number(code.slice(digits)) === 0);
  const level = LEVELS[index]?.level ?? 'village';
  // A prefecture without counties is the parent of its towns: the county's code is the prefecture's.
  const parent = LEVELS.slice(index + 1)
    .map(({ digits }) => code.slice(0, digits).padEnd(12, '0'))
    .find((candidate) => above.has(candidate));
  return { code, name, level, parent: parent ?? null };
}

function readAreaCodes(): AreaCode[] {
  const csv = readFileSync(new URL('./data/area-codes.csv', import.meta.url));
  const rows: string[][] = parse(csv, { from_line: 2 });
  return rows.flatMap(([code = '', , , name = '', levelName = '', , from = '', to = '', successors = '']) => {
    const level = AREA_LEVELS[levelName];
    if (level === undefined) return [];
    return {
      code,
      name,
      level,
      fromYear: Number(from),
      toYear: to === '' ? null : Number(to),
      successors: successors.match(/\d{6}/g) ?? [],
    };
  });
}

function namesByCode(): ReadonlyMap<string, string> {
  areaNames ??= new Map(
    loadAreaCodes()
      .toSorted((left, right) => left.fromYear - right.fromYear)
      .map(({ code, name }) => [code, name]),
  );
  return areaNames;
}
