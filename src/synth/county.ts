import type { Places } from './places.ts';

/**
 * The county is invented block by block: 500 persons in about 180 households, who marry, let and inherit
 * within their block. A block depends on nothing but the options and its number, so it is invented anew for
 * every night instead of being kept, and blocks may be taken in any order.
 */
export const PERSONS_IN_BLOCK = 500;

/** Keys of a block's records and dwellings are its number times this, plus a running number. */
export const KEYS_IN_BLOCK = 2000;

export interface County {
  seed: number;
  persons: number;
  nights: number;
  /** The business date of night 1, as a day number. */
  firstDay: number;
  places: Places;
  blocks: number;
}
