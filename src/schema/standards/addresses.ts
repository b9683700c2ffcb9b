interface AddressParts {
  /** Everything before the house number: division, village, street. */
  readonly village: string;
  /** House number or building: 290 of 290号. */
  readonly number: string | null;
  /** What is inside it, outermost first: 1587 of 1587室, 2-501 of 2单元501室. */
  readonly room: string | null;
}

const DIGITS = '零一二三四五六七八九';
const UNITS: Readonly<Record<string, number>> = { 十: 10, 百: 100, 千: 1000 };
const NUMERAL_BEFORE_COUNTER = /[〇零一二三四五六七八九十百千]+(?=号|室|栋|幢|单元|楼)/g;
const NUMERALS_AFTER_ZHI = /(?<=[号\d])(?:之(?:[〇零一二三四五六七八九十百千]+|\d+))+/g;

/**
 * Brings an address into the one form in which addresses are compared: Unicode NFKC, no spaces, one kind of
 * hyphen, Arabic digits before 号, 室, 栋, 幢, 单元 and 楼, and `-` for 之 (十二号之三 becomes 12号-3).
 *
 * @param given the address as the source wrote it
 */
export function normaliseAddress(given: string): string {
  if (isNormalAlready(given)) return given;
  return given
    .normalize('NFKC')
    .replace(/\s/g, '')
    .normalize('NFKC')
    .replace(/\p{Dash}/gu, '-')
    .replace(NUMERAL_BEFORE_COUNTER, arabic)
    .replace(NUMERALS_AFTER_ZHI, (numerals) => numerals.split('之').map(arabic).join('-'));
}

/** Most addresses: Han characters and Arabic digits, no numeral in characters before a counter, no 之. */
function isNormalAlready(given: string): boolean {
  return (
    /^[\u4e00-\u9fff\d]*$/.test(given) &&
    !/[一二三四五六七八九十百千零](?:号|室|栋|幢|单元|楼)|之/.test(given)
  );
}

/**
 * Takes an address apart at its first house number or building; without one, at its first unit or room.
 *
 * @param normal an address as {@link normaliseAddress} returns it
 */
export function addressParts(normal: string): AddressParts {
  const house = /^(.*?)(\d+(?:-\d+)*)(?:号|栋|幢)(.*)$/.exec(normal);
  if (house !== null) {
    return { village: house[1] ?? '', number: house[2] ?? null, room: numbersOf(house[3] ?? '') };
  }
  const inside = /\d+(?:单元|楼|室).*$/.exec(normal);
  if (inside === null) return { village: normal, number: null, room: null };
  return { village: normal.slice(0, inside.index), number: null, room: numbersOf(inside[0]) };
}

function numbersOf(text: string): string | null {
  return text.match(/\d+/g)?.join('-') ?? null;
}

/** 一百二十三 and 一二三 are both 123; what is in digits already stays. */
function arabic(numeral: string): string {
  if (!/[十百千]/.test(numeral)) return Array.from(numeral, digit).join('');
  let sum = 0;
  let pending = 0;
  for (const character of numeral) {
    const unit = UNITS[character];
    if (unit === undefined) {
      pending = Number(digit(character));
    } else {
      sum += (pending === 0 ? 1 : pending) * unit;
      pending = 0;
    }
  }
  return String(sum + pending);
}

function digit(character: string): string {
  if (character === '〇') return '0';
  const value = DIGITS.indexOf(character);
  return value === -1 ? character : String(value);
}
