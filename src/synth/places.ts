import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { PopshareError } from '../schema/errors.ts';
import { areaEverAssigned, loadAreaCodes } from '../schema/standards/divisions.ts';

const NEW_LINE = 10;
const TAB = 9;

/** A village or community of the county. */
export interface Village {
  /** 12 digits. */
  code: string;
  /** District, town and village, as an address begins. */
  address: string;
  /** A community of a town, not a village of farmers. */
  urban: boolean;
  /** How many households choose it, against others. */
  weight: number;
}

export interface Places {
  /** Six digits. */
  county: string;
  countyName: string;
  villages: readonly Village[];
  /** Codes that ID numbers of people from elsewhere begin with: all that a county ever had. */
  areaCodes: readonly string[];
  /** Codes of today's counties, where people from elsewhere are registered. */
  origins: readonly string[];
  /** Codes that no year's table has. */
  neverAssigned: readonly string[];
}

/**
 * The real places of a county, and the area codes of the country, from the tables of the standards.
 *
 * @param county six digits (GB/T 2260)
 * @throws PopshareError USAGE when today's table of divisions has no such county with villages
 */
export function placesOf(county: string): Places {
  const { countyName, villages } = villagesOf(county);
  if (countyName === '' || villages.length === 0) {
    throw new PopshareError('USAGE', `The table of divisions has no county ${county} with villages.`);
  }
  // 71, 81 and 82 number their residents in another way.
  const others = loadAreaCodes().filter(
    ({ code, level }) => level === 'county' && code !== county && /^[1-6]/.test(code),
  );
  const origins = others.filter(({ toYear }) => toYear === null).map(({ code }) => code);
  const neverAssigned = new Set(origins.map((code) => `${code.slice(0, 4)}98`));
  return {
    county,
    countyName,
    villages,
    areaCodes: [...new Set(others.map(({ code }) => code))],
    origins,
    neverAssigned: [...neverAssigned].filter((code) => !areaEverAssigned(code)),
  };
}

/**
 * Walks the packed table of divisions (data/README.md tells its form: a difference of codes, a tab, a name) byte
 * by byte. `loadDivisions` would answer as well, but leaves a heap behind that is larger than all the rest here.
 */
function villagesOf(county: string): { countyName: string; villages: Village[] } {
  const table = gunzipSync(
    readFileSync(new URL('../schema/standards/data/divisions.tsv.gz', import.meta.url)),
  );
  const villages: Village[] = [];
  let countyName = '';
  let townName = '';
  let sum = 0;
  for (
    let start = 0, end = table.indexOf(NEW_LINE);
    end >= 0;
    start = end + 1, end = table.indexOf(NEW_LINE, start)
  ) {
    const tab = table.indexOf(TAB, start);
    sum += Number(table.toString('latin1', start, tab));
    if (Math.floor(sum / 1_000_000) !== Number(county)) continue;
    const code = String(sum);
    const name = table.toString('utf8', tab + 1, end);
    if (code.endsWith('000000')) countyName = name;
    else if (code.endsWith('000')) townName = name;
    else villages.push(village(code, countyName + townName, name));
  }
  return { countyName, villages };
}

/** Communities (of streets, 001 to 099) hold three times the people of a village. */
function village(code: string, before: string, name: string): Village {
  const short = name.replace(/(?:村民委员会|村委会|居民委员会|居委会)$/, '');
  const urban = Number(code.slice(6, 9)) < 100;
  return { code, address: before + short, urban, weight: urban ? 3 : 1 };
}
