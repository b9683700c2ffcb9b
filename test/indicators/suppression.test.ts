import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cell, hiddenDivisions } from '../../src/population/indicators/suppression.ts';
import { derivable, type Equation } from './derivable.ts';

const COUNTY = '620802000000';
const town = (at: number): string => `62080200${at}000`;
const village = (at: number, number: number): string => `62080200${at}00${number}`;
const LEAST = 10;

/** Cells of a county from those of its villages, by township: parts add up, as they do in a county. */
function county(townships: readonly (readonly Readonly<Record<string, number>>[])[]): Cell[] {
  const sum = (all: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
    const total: Record<string, number> = {};
    for (const parts of all)
      for (const [part, persons] of Object.entries(parts)) total[part] = (total[part] ?? 0) + persons;
    return total;
  };
  const cell = (division: string, parts: Readonly<Record<string, number>>): Cell => ({
    division,
    parts,
    hidden: false,
  });
  return [
    cell(COUNTY, sum(townships.flat())),
    ...townships.flatMap((villages, at) => [
      cell(town(at + 1), sum(villages)),
      ...villages.map((parts, number) => cell(village(at + 1, number + 1), parts)),
    ]),
  ];
}

const persons = (...numbers: number[]): Readonly<Record<string, number>>[] =>
  numbers.map((number) => ({ persons: number }));

describe('small numbers of persons', () => {
  test('nothing is hidden where every number is large enough', () => {
    expect(hiddenDivisions(county([persons(10, 25), persons(11, 12)]), LEAST)).toEqual([]);
  });

  test('a small village takes the next smallest of its township along', () => {
    expect(hiddenDivisions(county([persons(9, 40, 20, 30)]), LEAST)).toEqual([village(1, 1), village(1, 3)]);
  });

  test('none at all is a small number too', () => {
    expect(hiddenDivisions(county([persons(0, 40, 20)]), LEAST)).toEqual([village(1, 1), village(1, 3)]);
  });

  test('two small villages that are small together take a third along', () => {
    expect(hiddenDivisions(county([persons(4, 5, 40, 20)]), LEAST)).toEqual([
      village(1, 1),
      village(1, 2),
      village(1, 4),
    ]);
    expect(hiddenDivisions(county([persons(5, 5, 40, 20)]), LEAST)).toEqual([village(1, 1), village(1, 2)]);
  });

  test('a small township takes another along, and both their villages', () => {
    const hidden = hiddenDivisions(county([persons(2, 3), persons(40, 50), persons(20, 30)]), LEAST);
    expect(hidden).toEqual([town(1), village(1, 1), village(1, 2), town(3), village(3, 1), village(3, 2)]);
  });

  test('the only village of a township hides with it', () => {
    expect(hiddenDivisions(county([persons(5), persons(40), persons(50)]), LEAST)).toEqual([
      town(1),
      village(1, 1),
      town(2),
      village(2, 1),
    ]);
  });

  test('where the county is small nothing is shown', () => {
    const cells = county([persons(2, 3), persons(4)]);
    expect(hiddenDivisions(cells, LEAST)).toEqual(cells.map(({ division }) => division));
  });

  test('one small part hides all that is told of the division', () => {
    const share = (numerator: number, others: number): Record<string, number> => ({ numerator, others });
    // 98 of 100 tell of the two who are not.
    expect(hiddenDivisions(county([[share(98, 2), share(50, 50), share(40, 70)]]), LEAST)).toEqual([
      village(1, 1),
      village(1, 2),
    ]);
  });

  test('what is hidden for another reason is protected as well', () => {
    const cells = county([persons(30, 40, 20)]).map((cell) => ({
      ...cell,
      hidden: cell.division === village(1, 1),
    }));
    expect(hiddenDivisions(cells, LEAST)).toEqual([village(1, 1), village(1, 3)]);
  });
});

describe('of any county', () => {
  const number = fc.oneof(fc.nat(12), fc.nat(80));
  const villages = (parts: number) =>
    fc.array(
      fc.array(fc.array(number, { minLength: parts, maxLength: parts }), { minLength: 1, maxLength: 5 }),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
  const named = (all: readonly (readonly (readonly number[])[])[]) =>
    all.map((township) =>
      township.map((values) => Object.fromEntries(values.map((value, at) => [`part${at}`, value]))),
    );

  test('no number under the limit is shown', () => {
    fc.assert(
      fc.property(villages(2), (all) => {
        const cells = county(named(all));
        const hidden = hiddenDivisions(cells, LEAST);
        for (const { division, parts } of cells)
          if (!hidden.includes(division))
            expect(Math.min(...Object.values(parts))).toBeGreaterThanOrEqual(LEAST);
      }),
    );
  });

  test('no hidden number follows from those that are shown, also when the parts add up to a shown total', () => {
    fc.assert(
      fc.property(villages(3), (all) => {
        const cells = county(named(all));
        // The total is an indicator of its own, such as all residents; where it is hidden, so are its parts.
        const totals = cells.map(({ division, parts, hidden }) => ({
          division,
          hidden,
          parts: { total: Object.values(parts).reduce((sum, value) => sum + value, 0) },
        }));
        const hiddenTotals = hiddenDivisions(totals, LEAST);
        const hidden = hiddenDivisions(
          cells.map((cell) => ({ ...cell, hidden: hiddenTotals.includes(cell.division) })),
          LEAST,
        );
        expect(derivable(equationsOf(cells, hidden, hiddenTotals))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('what is hidden below one division is no small number together', () => {
    fc.assert(
      fc.property(villages(2), (all) => {
        const cells = county(named(all));
        const hidden = hiddenDivisions(cells, LEAST);
        for (const parent of cells.filter(({ division }) => !hidden.includes(division))) {
          const below = cells.filter(
            ({ division }) => parentOf(division) === parent.division && hidden.includes(division),
          );
          if (below.length === 0) continue;
          for (const part of Object.keys(parent.parts))
            expect(below.reduce((sum, { parts }) => sum + (parts[part] ?? 0), 0)).toBeGreaterThanOrEqual(
              LEAST,
            );
        }
      }),
    );
  });
});

function parentOf(division: string): string | null {
  if (division === COUNTY) return null;
  const township = `${division.slice(0, 9)}000`;
  return division === township ? COUNTY : township;
}

/** Everything that a reader can write down: sums over the divisions below, and over the parts of a total. */
function equationsOf(
  cells: readonly Cell[],
  hidden: readonly string[],
  hiddenTotals: readonly string[],
): Equation[] {
  const names = (division: string, part: string): string => `${division} ${part}`;
  const isHidden = (division: string, part: string): boolean =>
    (part === 'total' ? hiddenTotals : hidden).includes(division);
  const equation = (terms: readonly (readonly [string, string, number])[]): Equation =>
    new Map(
      terms
        .filter(([division, part]) => isHidden(division, part))
        .map(([division, part, factor]) => [names(division, part), factor]),
    );
  return cells.flatMap(({ division, parts }) => {
    const below = cells.filter((cell) => parentOf(cell.division) === division);
    return [
      equation([[division, 'total', -1], ...Object.keys(parts).map((part) => [division, part, 1] as const)]),
      ...(below.length === 0 ? [] : [...Object.keys(parts), 'total']).map((part) =>
        equation([[division, part, -1], ...below.map((cell) => [cell.division, part, 1] as const)]),
      ),
    ];
  });
}
