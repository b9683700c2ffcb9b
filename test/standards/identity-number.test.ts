import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDigit, parseIdNumber, upgradeFifteen } from '../../src/schema/standards/identity-number.ts';

const digits = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length })
    .map((all) => all.join(''));

const birthDate = fc
  .date({ min: new Date('1900-01-01'), max: new Date('1999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

const residentNumber = fc
  .tuple(fc.integer({ min: 110000, max: 659999 }), birthDate, digits(3))
  .map(([area, birth, sequence]) => {
    const first17 = `${area}${birth.replaceAll('-', '')}${sequence}`;
    return first17 + checkDigit(first17);
  });

describe('parseIdNumber', () => {
  it.each([
    ['11010519491231002X', '1949-12-31', '2', '110105'],
    ['440524188001010014', '1880-01-01', '1', '440524'],
  ])('reads the example %s of GB 11643', (number, born, sex, areaCode) => {
    expect(parseIdNumber(number)).toEqual({
      kind: 'resident',
      canonical: number,
      birthDate: born,
      sex,
      areaCode,
    });
  });

  it.each([
    '11010519491231002x',
    ' 110105 19491231 002X ',
    '110105-19491231-002X',
    '１１０１０５１９４９１２３１００２Ｘ',
    '11010519491231002\u0425',
    '11010519491231002\u0445',
    '11010519491231002×',
    '11010519491231002Ⅹ',
    '\u200B11010519491231002X',
  ])('puts %j right', (given) => {
    expect(parseIdNumber(given)).toMatchObject({ kind: 'resident', canonical: '11010519491231002X' });
  });

  it('upgrades a 15-digit number', () => {
    expect(parseIdNumber('110105491231002')).toEqual({
      kind: 'resident_15',
      canonical: '11010519491231002X',
      birthDate: '1949-12-31',
      sex: '2',
      areaCode: '110105',
    });
    expect(parseIdNumber('110105491331002').kind).toBe('invalid');
  });

  it.each([
    ['110105194913310020', 'invalid'],
    [`11010519490229001${checkDigit('11010519490229001')}`, 'impossible_birth'],
    [`11010517990101001${checkDigit('11010517990101001')}`, 'impossible_birth'],
    [`81000019900307001${checkDigit('81000019900307001')}`, 'permit_hmt'],
    [`83000019900307001${checkDigit('83000019900307001')}`, 'permit_hmt'],
    [`91184019900307001${checkDigit('91184019900307001')}`, 'permit_foreigner'],
    ['USA110099010101', 'permit_foreigner'],
    ['E23456789', 'other_document'],
    ['EA2345678', 'other_document'],
    ['H1023456789', 'other_document'],
    ['M10234567', 'other_document'],
    ['08123456', 'other_document'],
    ['TK2345678', 'other_document'],
    ['111111111111111111', 'placeholder'],
    ['111111111111111', 'placeholder'],
    ['123456789012345678', 'placeholder'],
    ['12345678', 'placeholder'],
    ['000000', 'placeholder'],
    ['XXXXXXXXXXXXXXXXXX', 'placeholder'],
    ['E00000000', 'placeholder'],
    ['TK1234567', 'placeholder'],
    ['无', 'placeholder'],
    ['不详', 'placeholder'],
    ['无证', 'placeholder'],
    ['测试', 'placeholder'],
    ['-', 'placeholder'],
    ['', 'absent'],
    [' 　', 'absent'],
    ['62080220040105232', 'invalid'],
    ['2080220030407530X', 'invalid'],
    ['110105********002X', 'invalid'],
  ])('calls %j %s', (given, kind) => {
    expect(parseIdNumber(given).kind).toBe(kind);
  });

  it('calls null absent', () => {
    expect(parseIdNumber(null).kind).toBe('absent');
  });

  it('finds every substitution of one character', () => {
    fc.assert(
      fc.property(residentNumber, fc.nat(17), fc.constantFrom(...'0123456789X'), (number, at, other) => {
        fc.pre(number[at] !== other && (at === 17 || other !== 'X'));
        const damaged = number.slice(0, at) + other + number.slice(at + 1);
        expect(['invalid', 'placeholder']).toContain(parseIdNumber(damaged).kind);
      }),
    );
  });

  it('finds every transposition of neighbours', () => {
    fc.assert(
      fc.property(residentNumber, fc.nat(16), (number, at) => {
        fc.pre(number[at] !== number[at + 1]);
        const damaged =
          number.slice(0, at) + number.charAt(at + 1) + number.charAt(at) + number.slice(at + 2);
        expect(['invalid', 'placeholder']).toContain(parseIdNumber(damaged).kind);
      }),
    );
  });

  it('reads an upgraded 15-digit number as it reads the 15 digits', () => {
    fc.assert(
      fc.property(residentNumber, (number) => {
        const fifteen = number.slice(0, 6) + number.slice(8, 17);
        expect(upgradeFifteen(fifteen)).toBe(number);
        expect(parseIdNumber(number)).toEqual({ ...parseIdNumber(fifteen), kind: 'resident' });
      }),
    );
  });

  it('never throws, and reads its own canonical form as the same number', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0123456789XE-无 ') }),
      digits(15),
    );
    fc.assert(
      fc.property(anything, (given) => {
        const { canonical } = parseIdNumber(given);
        if (canonical !== null) expect(parseIdNumber(canonical).canonical).toBe(canonical);
      }),
    );
  });
});
