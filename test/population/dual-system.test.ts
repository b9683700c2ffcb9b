import { expect, test } from 'vitest';
import { dualSystem } from '../../src/population/resident-estimate.ts';

test('Chapman: (100 + 1) (80 + 1) / (40 + 1) - 1', () => {
  const { persons, variance } = dualSystem({ first: 100, second: 80, both: 40 });
  expect(persons).toBeCloseTo(198.54, 2);
  // 101 * 81 * 60 * 40 / (41² * 42)
  expect(variance).toBeCloseTo(278.1, 1);
});

test('lists that agree leave nothing to estimate; lists that never meet still give a number', () => {
  expect(dualSystem({ first: 50, second: 50, both: 50 })).toEqual({ persons: 50, variance: 0 });
  expect(dualSystem({ first: 2, second: 3, both: 0 }).persons).toBe(11);
  expect(dualSystem({ first: 0, second: 0, both: 0 })).toEqual({ persons: 0, variance: 0 });
});
