import { PopshareError } from '../schema/errors.ts';
import { areaEverAssigned, loadAreaCodes, loadDivisions } from '../schema/standards/divisions.ts';

/** A village or community of the county. */
export interface Village {
  /** 12 digits. */
  code: string;
  name: string;
  /** Name of the town or street. */
  town: string;
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
  /** Codes of counties that are no more. */
  abolished: readonly string[];
  /** Codes that no year's table has. */
  neverAssigned: readonly string[];
}

/**
 * The real places of a county, and the area codes of the country, from the tables of the standards.
 *
 * @param county six digits (GB/T 2260)
 * @throws PopshareError USAGE when today's table of divisions has no such county with villages
 */
export async function placesOf(county: string): Promise<Places> {
  const { countyName, villages } = await villagesOf(county);
  if (countyName === '' || villages.length === 0) {
    throw new PopshareError('USAGE', `The table of divisions has no county ${county} with villages.`);
  }
  // 71, 81 and 82 number their residents in another way.
  const others = loadAreaCodes().filter(
    ({ code, level }) => level === 'county' && code !== county && /^[1-6]/.test(code),
  );
  const origins = others.filter(({ toYear }) => toYear === null).map(({ code }) => code);
  const current = new Set(origins);
  const neverAssigned = new Set(origins.map((code) => `${code.slice(0, 4)}98`));
  return {
    county,
    countyName,
    villages,
    areaCodes: [...new Set(others.map(({ code }) => code))],
    origins,
    abolished: [...new Set(others.map(({ code }) => code))].filter((code) => !current.has(code)),
    neverAssigned: [...neverAssigned].filter((code) => !areaEverAssigned(code)),
  };
}

async function villagesOf(county: string): Promise<{ countyName: string; villages: Village[] }> {
  const villages: Village[] = [];
  let countyName = '';
  let townName = '';
  for await (const { code, name, level } of loadDivisions()) {
    if (!code.startsWith(county)) continue;
    if (level === 'county') countyName = name;
    else if (level === 'township') townName = name;
    else if (level === 'village') villages.push(village(code, countyName, townName, name));
  }
  return { countyName, villages };
}

/** Communities (of streets, 001 to 099) hold three times the people of a village. */
function village(code: string, countyName: string, town: string, name: string): Village {
  const short = name.replace(/(?:村民委员会|村委会|居民委员会|居委会)$/, '');
  const urban = Number(code.slice(6, 9)) < 100;
  return { code, name, town, address: countyName + town + short, urban, weight: urban ? 3 : 1 };
}
