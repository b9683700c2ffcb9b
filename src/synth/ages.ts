import { type Random, WeightedTable } from './random.ts';

/**
 * Persons by five-year age group, from the seventh census (National Bureau of Statistics, 1 November 2020), in
 * ten thousands; the last group is 90 and older. The sum is 1,409.78 million.
 */
export const CENSUS_2020: readonly number[] = [
  7788, 9024, 8526, 7268, 7494, 9185, 12415, 9901, 9296, 11422, 12116, 10140, 7338, 7401, 4959, 3124, 2038,
  1083, 459,
];

/**
 * Weights by which the age of a household's first adult is drawn, from 20 upwards in five-year groups. They are
 * chosen so that the persons of all households together have the ages of the census.
 */
const FIRST_ADULT_WEIGHTS: readonly number[] = [8, 35, 89, 66, 66, 93, 100, 77, 50, 54, 28, 14, 12, 19, 13];

const FIRST_ADULT = new WeightedTable(
  FIRST_ADULT_WEIGHTS.map((weight, index): [number, number] => [20 + index * 5, weight]),
);

/** Age, in years and parts of a year, of a household's first adult. */
export function firstAdultAge(random: Random): number {
  return FIRST_ADULT.draw(random) + random.next() * 5;
}

const MIGRANT = new WeightedTable<number>([
  [20, 14],
  [25, 20],
  [30, 22],
  [35, 16],
  [40, 10],
  [45, 8],
  [50, 6],
  [55, 3],
  [60, 1],
]);

/** Age of the first adult of a household that came from elsewhere: mostly 20 to 45. */
export function migrantAge(random: Random): number {
  return MIGRANT.draw(random) + random.next() * 5;
}

/** Yearly risk of dying by age; close to the mortality that the 2020 census shows. */
export function yearlyMortality(age: number): number {
  if (age < 1) return 0.003;
  if (age < 40) return 0.0004;
  if (age < 50) return 0.0016;
  if (age < 60) return 0.0038;
  if (age < 65) return 0.0075;
  if (age < 70) return 0.012;
  if (age < 75) return 0.021;
  if (age < 80) return 0.037;
  if (age < 85) return 0.065;
  if (age < 90) return 0.11;
  return 0.19;
}
