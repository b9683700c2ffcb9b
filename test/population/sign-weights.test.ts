import { describe, expect, test } from 'vitest';
import { estimateWeights, type Pattern } from '../../src/population/sign-weights.ts';

const estimation = { leastOccurrences: 30, informative: 0.5, defaults: { rare: 0.25 } };
const pattern = (kinds: string, persons: number): Pattern => ({
  kinds: new Set(kinds.split(' ').filter(Boolean)),
  persons,
});

/** kind → weight, with two digits. */
function weights(patterns: Pattern[], kinds: string[]): Record<string, number> {
  const estimated = estimateWeights(patterns, kinds, new Set(), estimation);
  return Object.fromEntries(estimated.map(({ kind, weight }) => [kind, Math.round(weight * 100) / 100]));
}

describe('the weight of a sign', () => {
  test('how much of the gap to certainty it closes: (0.9 - 0.6) / (1 - 0.6)', () => {
    // Of 100 traders 90 are insured; of all 1000 persons 600 are.
    const patterns = [
      pattern('trader insured paid', 90),
      pattern('trader', 10),
      pattern('insured paid', 510),
      pattern('', 390),
    ];
    const { trader } = weights(patterns, ['trader', 'insured', 'paid']);
    expect(trader).toBe(0.75);
  });

  test('a sign that is as frequent among all is worth nothing', () => {
    const patterns = [
      pattern('owner insured paid', 60),
      pattern('owner', 40),
      pattern('insured paid', 540),
      pattern('', 360),
    ];
    expect(weights(patterns, ['owner', 'insured', 'paid'])).toEqual({ owner: 0, insured: 1, paid: 1 });
  });

  test('two signs that go together for another reason do not vouch for each other', () => {
    // Landlords own what they let; neither is insured more often than others.
    const patterns = [
      pattern('landlord owner insured paid', 42),
      pattern('landlord insured paid', 18),
      pattern('landlord owner', 28),
      pattern('landlord', 12),
      pattern('owner insured paid', 98),
      pattern('owner', 72),
      pattern('insured paid', 442),
      pattern('', 288),
    ];
    const { landlord, owner } = weights(patterns, ['landlord', 'owner', 'insured', 'paid']);
    expect(landlord).toBe(0);
    expect(owner).toBeLessThan(0.05);
  });

  test('with fewer occurrences than the least, the default', () => {
    const patterns = [pattern('rare insured paid', 29), pattern('insured paid', 500), pattern('', 471)];
    expect(weights(patterns, ['rare', 'insured', 'paid'])['rare']).toBe(0.25);
    const enough = [pattern('rare insured paid', 30), pattern('insured paid', 500), pattern('', 470)];
    expect(weights(enough, ['rare', 'insured', 'paid'])['rare']).toBe(1);
  });

  test('nobody at all: every kind has its default', () => {
    expect(weights([], ['rare', 'insured'])).toEqual({ rare: 0.25, insured: 0 });
  });
});
