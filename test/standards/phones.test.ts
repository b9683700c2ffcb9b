import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalisePhone } from '../../src/schema/standards/phones.ts';

describe('normalisePhone', () => {
  it.each([
    ['13010245508', '13010245508', 'mobile'],
    ['+86 130-1024-5508', '13010245508', 'mobile'],
    ['008613010245508', '13010245508', 'mobile'],
    ['8613010245508', '13010245508', 'mobile'],
    ['１３０１０２４５５０８', '13010245508', 'mobile'],
    ['0933-8213344', '09338213344', 'landline'],
    ['(010) 6552 9988', '01065529988', 'landline'],
    ['+86-0933-8213344', '09338213344', 'landline'],
    ['8213344', '8213344', 'landline'],
    ['13800000000', null, 'placeholder'],
    ['13888888888', null, 'placeholder'],
    ['13812345678', null, 'placeholder'],
    ['13800138000', null, 'placeholder'],
    ['11111111111', null, 'placeholder'],
    ['12345678901', null, 'placeholder'],
    ['0933-8888888', null, 'placeholder'],
    ['0', null, 'placeholder'],
    ['无', null, 'placeholder'],
    ['-', null, 'placeholder'],
    ['1301024550', null, 'invalid'],
    ['12010245508', null, 'invalid'],
    ['13010245508/13810490997', null, 'invalid'],
    [' ', null, 'absent'],
  ])('%j is %j, %s', (given, phone, kind) => {
    expect(normalisePhone(given)).toEqual({ phone, kind });
  });

  it('calls null absent', () => {
    expect(normalisePhone(null)).toEqual({ phone: null, kind: 'absent' });
  });

  it('never throws, and reads its own answer as the same phone', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789+- ()无') }), (given) => {
        const answer = normalisePhone(given);
        if (answer.phone !== null) expect(normalisePhone(answer.phone)).toEqual(answer);
      }),
      { numRuns: 1000 },
    );
  });
});
