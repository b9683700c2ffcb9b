import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type LevelProbabilities,
  likelihood,
  maximiseExpectation,
  startingPoint,
} from '../../../src/identity/model/expectation-maximisation.ts';
import { type Pattern, packPattern, unpackPattern } from '../../../src/identity/model/pattern.ts';

const U: LevelProbabilities = [
  [0.01, 0.03, 0.96],
  [0.02, 0.98],
  [0.005, 0.045, 0.95],
  [0.1, 0.9],
];
const ALL = [0, 1, 2, 3];

/** Every pattern, those with missing comparisons too, with the count that the parameters make expected. */
function expectedCounts(
  share: number,
  m: LevelProbabilities,
  missing: number,
  pairs: number,
): Map<Pattern, number> {
  let vectors: number[][] = [[]];
  for (const levels of m)
    vectors = vectors.flatMap((vector) => [0, ...levels.map((_, at) => at + 1)].map((n) => [...vector, n]));
  return new Map(
    vectors.map((vector) => {
      const present = vector.filter((level) => level > 0).length;
      const chance = missing ** (vector.length - present) * (1 - missing) ** present;
      const levels = Uint8Array.from(vector);
      const either = share * likelihood(levels, m, ALL) + (1 - share) * likelihood(levels, U, ALL);
      return [packPattern(vector), pairs * chance * either];
    }),
  );
}

const agreement = fc.double({ min: 0.7, max: 0.97, noNaN: true });
const parameters = fc.record({
  share: fc.double({ min: 0.02, max: 0.8, noNaN: true }),
  missing: fc.double({ min: 0, max: 0.4, noNaN: true }),
  m: fc.tuple(agreement, agreement, agreement, agreement).map(
    ([a, b, c, d]): LevelProbabilities => [
      [a, (1 - a) * 0.7, (1 - a) * 0.3],
      [b, 1 - b],
      [c, (1 - c) * 0.6, (1 - c) * 0.4],
      [d, 1 - d],
    ],
  ),
});

const anyCounts = fc
  .array(fc.tuple(fc.tuple(fc.nat(3), fc.nat(2), fc.nat(3), fc.nat(2)), fc.integer({ min: 1, max: 1e6 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((rows) => new Map(rows.map(([vector, count]) => [packPattern(vector), count])));

test('the parameters that made the patterns are found again', () => {
  fc.assert(
    fc.property(parameters, ({ share, missing, m }) => {
      const counts = expectedCounts(share, m, missing, 1e6);
      const found = maximiseExpectation({ counts, u: U, heldOut: new Set(), start: startingPoint(U) });
      expect(found.share).toBeCloseTo(share, 3);
      m.forEach((levels, at) => {
        levels.forEach((value, level) => {
          expect(found.m[at]?.[level]).toBeCloseTo(value, 3);
        });
      });
    }),
    { numRuns: 40 },
  );
});

test('the likelihood never falls, and m stays a distribution', () => {
  fc.assert(
    fc.property(anyCounts, (counts) => {
      const { logLikelihoods, m } = maximiseExpectation({
        counts,
        u: U,
        heldOut: new Set(),
        start: startingPoint(U),
      });
      for (const [at, value] of logLikelihoods.entries()) {
        const before = logLikelihoods[at - 1] ?? value;
        expect(value).toBeGreaterThanOrEqual(before - Math.abs(before) * 1e-12);
      }
      for (const levels of m) expect(levels.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
    }),
    { numRuns: 100 },
  );
});

test('the order of the patterns makes no difference, to the last bit', () => {
  fc.assert(
    fc.property(anyCounts, (counts) => {
      const options = { u: U, heldOut: new Set<number>(), start: startingPoint(U) };
      const backwards = new Map([...counts].reverse());
      expect(maximiseExpectation({ ...options, counts: backwards })).toEqual(
        maximiseExpectation({ ...options, counts }),
      );
    }),
    { numRuns: 50 },
  );
});

test('a comparison that is held out neither changes nor counts', () => {
  const m: LevelProbabilities = [
    [0.9, 0.05, 0.05],
    [0.8, 0.2],
    [0.9, 0.06, 0.04],
    [0.95, 0.05],
  ];
  const counts = expectedCounts(0.3, m, 0.1, 1e6);
  const start = startingPoint(U);
  const found = maximiseExpectation({ counts, u: U, heldOut: new Set([1]), start });
  expect(found.m[1]).toEqual(start.m[1]);
  expect(found.expected[1]).toEqual([0, 0]);
  expect(found.m[0]?.[0]).toBeCloseTo(0.9, 3);
});

test('packing a vector and unpacking it gives the vector', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(15), { minLength: 1, maxLength: 15 }), (levels) => {
      expect([...unpackPattern(packPattern(levels), levels.length)]).toEqual(levels);
    }),
  );
});
