import { PopshareError } from '../schema/errors.ts';
import { areaEverAssigned, loadAreaCodes, loadDivisions } from '../schema/standards/divisions.ts';

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

function villagesOf(county: string): { countyName: string; villages: Village[] } {
  const villages: Village[] = [];
  let countyName = '';
  let townName = '';
  for (const { code, name, level } of loadDivisions()) {
    if (!code.startsWith(county)) continue;
    if (level === 'county') countyName = name;
    else if (level === 'township') townName = name;
    else if (level === 'village') villages.push(village(code, countyName + townName, name));
  }
  return { countyName, villages };
}

/** Communities (of streets, 001 to 099) hold three times the people of a village. */
function village(code: string, before: string, name: string): Village {
  const short = name.replace(/(?:村民委员会|村委会|居民委员会|居委会)$/, '');
  const urban = Number(code.slice(6, 9)) < 100;
  return { code, address: before + short, urban, weight: urban ? 3 : 1 };
}
