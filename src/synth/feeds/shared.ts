import { timestamp } from '../calendar.ts';
import { type County, KEYS_IN_BLOCK } from '../county.ts';
import type { Version } from '../feed.ts';
import type { Block, Person } from '../population.ts';
import { mix } from '../random.ts';

/** The number of a block's record: unique in its feed. `position` counts from 0. */
export function recordNumber(block: Block, position: number): number {
  return block.number * KEYS_IN_BLOCK + position + 1;
}

/** A source's own number: letter, county, and a running number of at least `digits` digits. */
export function sourceNumber(county: County, letter: string, digits: number, number: number): string {
  return `${letter}${county.places.county}${String(number).padStart(digits, '0')}`;
}

/** When the source last touched a record: on `baseDay`, or on the eve of the night that changed it. */
export function updatedAt(county: County, version: Version, baseDay: number): string {
  const day = version.changedOn > 0 ? county.firstDay + version.changedOn - 2 : baseDay;
  return timestamp(Math.min(day, county.firstDay + version.night - 2), version.chance);
}

/** The division where a person is registered. */
export function registeredDivision({ household }: Person): string {
  return household.standing === 'migrant' ? household.origin : household.village.code;
}

/** A day up to `span` days before the first night that belongs to a record. */
export function dayBefore(county: County, number: number, span: number): number {
  return county.firstDay - 1 - (mix(county.seed, 301, number) % span);
}
