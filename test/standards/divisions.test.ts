import { beforeAll, describe, expect, it } from 'vitest';
import {
  areaEverAssigned,
  areaName,
  type Division,
  loadAreaCodes,
  loadDivisions,
} from '../../src/schema/standards/divisions.ts';

describe('area codes', () => {
  it('know the codes of all years and where they went', () => {
    const chongwen = loadAreaCodes().find(({ code }) => code === '110103');
    expect(chongwen).toEqual({
      code: '110103',
      name: '崇文区',
      level: 'county',
      fromYear: 1981,
      toYear: 2010,
      successors: ['110101'],
    });
    expect(areaEverAssigned('110103')).toBe(true);
    expect(areaEverAssigned('999999')).toBe(false);
  });

  it('give the last name of a code', () => {
    expect(areaName('620802')).toBe('崆峒区');
    expect(areaName('120110')).toBe('东丽区');
    expect(areaName('999999')).toBeNull();
  });
});

describe('loadDivisions', () => {
  const divisions = new Map<string, Division>();
  beforeAll(async () => {
    for await (const division of loadDivisions()) {
      if (division.parent !== null && !divisions.has(division.parent)) {
        throw new Error(`${division.code} comes before its parent ${division.parent}`);
      }
      if (divisions.has(division.code)) throw new Error(`${division.code} comes twice`);
      divisions.set(division.code, division);
    }
  });

  it('has all five levels', () => {
    const counts: Record<string, number> = {};
    for (const { level } of divisions.values()) counts[level] = (counts[level] ?? 0) + 1;
    expect(counts).toEqual({
      province: 34,
      prefecture: 342,
      county: 2975,
      township: 41_351,
      village: 620_572,
    });
  });

  it('leads from a village up to its province', () => {
    const names: string[] = [];
    let code: string | null = '620802001001';
    while (code !== null) {
      const division: Division | undefined = divisions.get(code);
      names.push(division?.name ?? '');
      code = division?.parent ?? null;
    }
    expect(names).toEqual(['解放中路社区居委会', '东关街道', '崆峒区', '平凉市', '甘肃省']);
  });

  it('puts the towns of a prefecture without counties below the prefecture', () => {
    expect(divisions.get('441900003000')).toMatchObject({ level: 'township', parent: '441900000000' });
    expect(divisions.get('441900000000')?.level).toBe('prefecture');
  });
});
