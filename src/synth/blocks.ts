import { addCases } from './cases.ts';
import { type County, PERSONS_IN_BLOCK } from './county.ts';
import { composeHousehold } from './households.ts';
import { IdentityNumbers } from './identity-numbers.ts';
import { liveLives } from './lives.ts';
import type { Block } from './population.ts';
import { mix, Random } from './random.ts';
import { letDwellings } from './tenancy.ts';

/** Invents one block. The same county and number give the same block. */
export function inventBlock(county: County, number: number): Block {
  const random = new Random(mix(county.seed, 101, number));
  const block: Block = {
    number,
    county,
    households: [],
    persons: [],
    marriages: [],
    leases: [],
    identityNumbers: new IdentityNumbers(county, number),
    random,
  };
  const target = Math.min(PERSONS_IN_BLOCK, county.persons - number * PERSONS_IN_BLOCK);
  while (block.persons.length < target) composeHousehold(block, target - block.persons.length);
  liveLives(block);
  letDwellings(block);
  addCases(block);
  return block;
}
