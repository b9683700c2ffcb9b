import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressParts, normaliseAddress } from '../../src/schema/standards/addresses.ts';

describe('normaliseAddress', () => {
  it.each([
    ['崆峒区四十里铺镇长沟门 ２９０号１５８７室', '崆峒区四十里铺镇长沟门290号1587室'],
    ['东阳二百一十号', '东阳210号'],
    ['东阳二一〇号', '东阳210号'],
    ['幸福里三栋二单元十二楼一二〇一室', '幸福里3栋2单元12楼1201室'],
    ['永红十二号之三', '永红12号-3'],
    ['永红12—3号', '永红12-3号'],
  ])('%s becomes %s', (given, normal) => {
    expect(normaliseAddress(given)).toBe(normal);
  });

  it('is idempotent', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'村一二十百〇号之室楼12- －') }),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (given) => {
        const once = normaliseAddress(given);
        expect(normaliseAddress(once)).toBe(once);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('addressParts', () => {
  it.each([
    ['四十里铺镇长沟门290号1587室', '四十里铺镇长沟门', '290', '1587'],
    ['大秦乡东阳210号', '大秦乡东阳', '210', null],
    ['幸福里3栋2单元501室', '幸福里', '3', '2-501'],
    ['永红村5组12-3号', '永红村5组', '12-3', null],
    ['中街小区2单元501室', '中街小区', null, '2-501'],
    ['中街小区', '中街小区', null, null],
    ['', '', null, null],
  ])('%s', (normal, village, number, room) => {
    expect(addressParts(normal)).toEqual({ village, number, room });
  });
});
