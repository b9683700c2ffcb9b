import { expect, test } from 'vitest';
import { packPattern } from '../../../src/identity/model/pattern.ts';
import { trainModel } from '../../../src/identity/model/training.ts';
import {
  explainPattern,
  hasWeights,
  patternWeight,
  weightProbability,
  withWeights,
} from '../../../src/identity/model/weights.ts';
import { model } from './model.ts';

const weighted = model(`
comparisons:
  - name: surname
    zh: 姓
    of: [surname]
    term_frequency: surname
    levels:
      - { level: equal, zh: 相同, when: l.surname = r.surname, m: 0.8, u: 0.1 }
      - { level: different, zh: 不同, m: 0.2, u: 0.9 }
  - name: town
    of: [town]
    levels:
      - { level: equal, when: l.town = r.town, m: 0.5, u: 0.25 }
      - { level: different, m: 0.5, u: 0.75 }
prior: 0.2
`);

test('a weight is the prior odds and the evidence, in bits', () => {
  const trained = withWeights(weighted);
  expect(patternWeight(trained, packPattern([1, 1]))).toBeCloseTo(-2 + 3 + 1, 12);
  expect(patternWeight(trained, packPattern([0, 1]))).toBeCloseTo(-2 + 1, 12);
  expect(patternWeight(trained, packPattern([0, 0]))).toBeCloseTo(-2, 12);
  expect(weightProbability(0)).toBe(0.5);
  expect(weightProbability(-2)).toBeCloseTo(0.2, 12);
});

test('an explanation tells every part in order, in both languages, and sums up to the weight', () => {
  const trained = withWeights(weighted);
  const pattern = packPattern([1, 0]);
  const parts = explainPattern(trained, pattern);
  expect(parts.map(({ comparison, level }) => [comparison, level])).toEqual([
    ['prior', null],
    ['surname', 'equal'],
    ['town', null],
  ]);
  expect(parts[1]?.label).toEqual({ zh: '姓：相同', en: 'surname: equal' });
  expect(parts[2]?.label).toEqual({ zh: 'town：缺失', en: 'town: missing' });
  expect(parts.at(-1)?.sum).toBeCloseTo(patternWeight(trained, pattern), 12);
});

test('a value that is four times rarer than agreement by chance adds two bits', () => {
  const parts = explainPattern(withWeights(weighted), packPattern([1, 1]), new Map([['surname', 0.025]]));
  expect(parts[1]?.frequencyBits).toBeCloseTo(2, 12);
  expect(parts.at(-1)?.sum).toBeCloseTo(4, 12);
  const different = explainPattern(withWeights(weighted), packPattern([2, 1]), new Map([['surname', 0.025]]));
  expect(different[1]?.frequencyBits).toBe(0);
});

test('a model without weights says so', () => {
  const untrained = model(`
comparisons:
  - { name: town, of: [town], levels: [{ level: equal, when: l.town = r.town }, { level: different }] }
`);
  expect(hasWeights(untrained)).toBe(false);
  expect(hasWeights(weighted)).toBe(true);
  expect(() => withWeights(untrained, 0.1)).toThrow(
    expect.objectContaining({ code: 'MODEL_UNTRAINED', message: expect.stringContaining('town') }),
  );
});

test('a comparison that no blocking rule leaves free cannot be trained', () => {
  const counts = new Map([[packPattern([1, 1]), 100]]);
  const patterns = {
    random: counts,
    blocks: [{ counts, heldOut: new Set([1]) }],
    compared: counts,
    allPairs: 1000,
  };
  expect(() => trainModel(weighted, patterns)).toThrow(
    expect.objectContaining({ code: 'MODEL_UNTRAINABLE', message: expect.stringContaining('town') }),
  );
});
