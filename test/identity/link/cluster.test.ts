import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkWhole, joinPairs, LARGEST_CLUSTER } from '../../../src/identity/link/cluster.ts';

type Pair = readonly [left: number, right: number, weight: number];

function weighed(pairs: readonly Pair[]) {
  const sorted = [...pairs].sort(([, , a], [, , b]) => b - a);
  return {
    left: Int32Array.from(sorted, ([left]) => left),
    right: Int32Array.from(sorted, ([, right]) => right),
    weight: Float64Array.from(sorted, ([, , weight]) => weight),
  };
}

function groups(records: number, find: (record: number) => number): number[][] {
  const found = new Map<number, number[]>();
  for (let record = 1; record <= records; record++) {
    const first = find(record);
    found.set(first, [...(found.get(first) ?? []), record]);
  }
  return [...found.values()];
}

test('records that a pair of enough weight holds together are one cluster', () => {
  const pairs: Pair[] = [
    [1, 2, 9],
    [2, 3, 6],
    [4, 5, 4.9],
  ];
  const { partition, joined } = joinPairs(5, weighed(pairs), 5, null);
  expect(groups(5, partition.find)).toEqual([[1, 2, 3], [4], [5]]);
  expect(joined).toEqual([0, 1]);
});

test('between clean lists each record goes with its best free partner', () => {
  // 1 and 2 against 3 and 4: 3 is the best of both, and goes to the heavier pair.
  const pairs: Pair[] = [
    [1, 3, 20],
    [2, 3, 18],
    [2, 4, 7],
    [1, 4, 6],
  ];
  const { partition } = joinPairs(4, weighed(pairs), 5, Int32Array.from([0, 1, 1, 2, 2]));
  expect(groups(4, partition.find)).toEqual([
    [1, 3],
    [2, 4],
  ]);
});

test('no cluster of clean lists holds two records of one list', () => {
  const pair = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer());
  fc.assert(
    fc.property(
      fc.array(pair, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 12, maxLength: 12 }),
      (pairs, lists) => {
        const inputOf = Int32Array.from([0, ...lists]);
        const { partition } = joinPairs(12, weighed(pairs), 0, inputOf);
        for (const members of groups(12, partition.find)) {
          const inputs = members.map((record) => inputOf[record]);
          expect(new Set(inputs).size).toBe(inputs.length);
        }
      },
    ),
  );
});

test('a cluster that would be too large to be checked is not made, and that is told', () => {
  const chain = Array.from({ length: LARGEST_CLUSTER + 9 }, (_, at): Pair => [at + 1, at + 2, 10]);
  const { partition, tooLarge } = joinPairs(LARGEST_CLUSTER + 10, weighed(chain), 5, null);
  expect(groups(LARGEST_CLUSTER + 10, partition.find).map(({ length }) => length)).toEqual([
    LARGEST_CLUSTER,
    10,
  ]);
  expect(tooLarge).toBe(1);
});

const whole = (members: number[], pairs: readonly Pair[]) =>
  checkWhole(
    members,
    pairs.map(([left, right, weight]) => ({ left, right, weight })),
    { join: 10, split: 4 },
  );

test('a chain whose ends contradict each other is cut at its weaker side', () => {
  expect(
    whole(
      [1, 2, 3],
      [
        [1, 2, 20],
        [2, 3, 15],
        [1, 3, -25],
      ],
    ),
  ).toEqual([[1, 2], [3]]);
});

test('two solid groups with one bridge are two', () => {
  const pairs: Pair[] = [];
  for (const group of [
    [1, 2, 3],
    [4, 5, 6],
  ])
    for (const a of group) for (const b of group) if (a < b) pairs.push([a, b, 20]);
  for (const a of [1, 2, 3]) for (const b of [4, 5, 6]) pairs.push([a, b, a === 3 && b === 4 ? 12 : -10]);
  expect(whole([1, 2, 3, 4, 5, 6], pairs)).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
});

test('two faulty copies that resemble their original more than each other stay together', () => {
  expect(
    whole(
      [1, 2, 3],
      [
        [1, 2, 30],
        [1, 3, 25],
        [2, 3, 5],
      ],
    ),
  ).toEqual([[1, 2, 3]]);
});

test('pairs that may not be compared speak neither for nor against', () => {
  expect(
    whole(
      [1, 2, 3],
      [
        [1, 3, 20],
        [2, 3, 15],
      ],
    ),
  ).toEqual([[1, 3, 2]]);
});
