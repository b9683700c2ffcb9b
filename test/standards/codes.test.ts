import { describe, expect, it } from 'vitest';
import { KINSHIP_CODES, MARITAL_STATUS_CODES, SEX_CODES } from '../../src/schema/standards/codes.ts';

describe('code tables', () => {
  it('are whole', () => {
    expect(Object.keys(SEX_CODES).sort()).toEqual(['0', '1', '2', '9']);
    expect(Object.keys(MARITAL_STATUS_CODES).sort()).toEqual([
      '10',
      '20',
      '21',
      '22',
      '23',
      '30',
      '40',
      '90',
    ]);
    const kinship = Array.from({ length: 80 }, (_, index) => String(index + 20));
    expect(Object.keys(KINSHIP_CODES).sort()).toEqual(['01', '02', '10', '11', '12', ...kinship]);
  });

  it('name what the codes mean', () => {
    expect(SEX_CODES['2']?.zh).toBe('女性');
    expect(MARITAL_STATUS_CODES['30']?.zh).toBe('丧偶');
    expect(KINSHIP_CODES['38']).toEqual({ zh: '儿媳', en: 'daughter-in-law' });
  });
});
