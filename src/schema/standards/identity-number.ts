import { isCalendarDate } from './calendar.ts';
import { isPlaceholderText, isRepeated } from './placeholders.ts';

/** What an identity number turned out to be; see {@link parseIdNumber}. */
export type IdKind =
  | 'absent'
  | 'resident'
  | 'resident_15'
  | 'permit_hmt'
  | 'permit_foreigner'
  | 'other_document'
  | 'placeholder'
  | 'impossible_birth'
  | 'invalid';

export interface IdentityNumber {
  readonly kind: IdKind;
  /** The number to compare by; a 15-digit one in its 18-character form. Null when it identifies nobody. */
  readonly canonical: string | null;
  /** YYYY-MM-DD, of the kinds that carry a birth date. */
  readonly birthDate: string | null;
  /** GB/T 2261.1, from the parity of the sequence number. */
  readonly sex: '1' | '2' | null;
  /** First six digits (GB/T 2260), of the kinds that carry them. */
  readonly areaCode: string | null;
}

const WEIGHTS = new Uint8Array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
const CHECK_CHARACTERS = '10X98765432';
const DIGIT_ZERO = 48;

const ABSENT: IdentityNumber = nobody('absent');
const PLACEHOLDER: IdentityNumber = nobody('placeholder');
const IMPOSSIBLE_BIRTH: IdentityNumber = nobody('impossible_birth');
const INVALID: IdentityNumber = nobody('invalid');

/**
 * Says what an identity number is, by GB 11643-1999 and the forms of the other documents in use.
 *
 * - `resident`: 18 characters, ISO 7064 MOD 11-2 check character right, born on a real day of 1850 to 2099
 * - `impossible_birth`: the same, but the day cannot be
 * - `resident_15`: 15 digits with a real day of 19YY; canonical is the 18-character form
 * - `permit_hmt`: residence permit of Hong Kong, Macau and Taiwan residents (areas 810000, 820000, 830000)
 * - `permit_foreigner`: foreigner's permanent residence card, 18 digits from 9 (2023) or 3 letters + 12 digits
 * - `other_document`: passports, and travel permits of Hong Kong, Macau and Taiwan residents
 * - `placeholder`: 111111…, 123456…, 000…, 无, 不详 and the like; `absent`: null or blank; `invalid`: the rest
 *
 * Full width, spaces, hyphens, a small x and letters that look like X are put right first. Never throws.
 *
 * @param given the number as the source wrote it
 */
export function parseIdNumber(given: string | null): IdentityNumber {
  if (given === null) return ABSENT;
  return (given.length === 18 ? parseEighteen(given) : null) ?? parseAnyForm(given);
}

/**
 * The check character of an 18-character number (GB 11643, ISO 7064 MOD 11-2).
 *
 * @param first17 the 17 digits before it
 */
export function checkDigit(first17: string): string {
  let sum = 0;
  for (let index = 0; index < 17; index += 1) {
    sum += (first17.charCodeAt(index) - DIGIT_ZERO) * (WEIGHTS[index] ?? 0);
  }
  return CHECK_CHARACTERS.charAt(sum % 11);
}

/**
 * The 18-character form of a 15-digit number of before 1999: the century 19, and a check character.
 *
 * @param fifteen 15 digits
 */
export function upgradeFifteen(fifteen: string): string {
  const first17 = `${fifteen.slice(0, 6)}19${fifteen.slice(6)}`;
  return first17 + checkDigit(first17);
}

/** Null when the text is not 17 digits and the right check character. One pass, no regular expression. */
function parseEighteen(number: string): IdentityNumber | null {
  let sum = 0;
  for (let index = 0; index < 17; index += 1) {
    const digit = number.charCodeAt(index) - DIGIT_ZERO;
    if (digit < 0 || digit > 9) return null;
    sum += digit * (WEIGHTS[index] ?? 0);
  }
  if (number.charCodeAt(17) !== CHECK_CHARACTERS.charCodeAt(sum % 11)) return null;

  const year = twoDigits(number, 6) * 100 + twoDigits(number, 8);
  if (year < 1850 || year > 2099 || !isCalendarDate(year, twoDigits(number, 10), twoDigits(number, 12))) {
    return IMPOSSIBLE_BIRTH;
  }
  const kind = eighteenKind(number);
  return {
    kind,
    canonical: number,
    birthDate: `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`,
    sex: number.charCodeAt(16) % 2 === 1 ? '1' : '2',
    areaCode: kind === 'permit_foreigner' ? null : number.slice(0, 6),
  };
}

function eighteenKind(number: string): 'resident' | 'permit_hmt' | 'permit_foreigner' {
  if (number.startsWith('9')) return 'permit_foreigner';
  if (!number.startsWith('8')) return 'resident';
  const isPermit = number.startsWith('810000') || number.startsWith('820000') || number.startsWith('830000');
  return isPermit ? 'permit_hmt' : 'resident';
}

function parseAnyForm(given: string): IdentityNumber {
  const folded = given.normalize('NFKC').trim().toUpperCase();
  if (folded === '') return ABSENT;
  if (isPlaceholderText(folded)) return PLACEHOLDER;
  // Cyrillic and Greek capitals and the multiplication sign are typed for X.
  const number = folded.replace(/[\s\p{Dash}\p{Cf}]/gu, '').replace(/[\u0425\u03A7\u00D7]/g, 'X');
  if (number === '') return PLACEHOLDER;

  const eighteen = number.length === 18 ? parseEighteen(number) : null;
  if (eighteen !== null) return eighteen;
  if (isPlaceholderNumber(number)) return PLACEHOLDER;
  if (/^\d{15}$/.test(number)) return parseFifteen(number);
  if (/^[A-Z]{3}\d{12}$/.test(number)) return document('permit_foreigner', number);
  return isTravelDocument(number) ? document('other_document', number) : INVALID;
}

function parseFifteen(fifteen: string): IdentityNumber {
  const number = upgradeFifteen(fifteen);
  const upgraded = parseEighteen(number);
  if (upgraded === null || upgraded.kind !== 'resident') return INVALID;
  return { ...upgraded, kind: 'resident_15' };
}

/** 1111…, XXXX…, 123456…, 000…; also behind the letters of a passport number. */
function isPlaceholderNumber(number: string): boolean {
  const digits = number.replace(/^[A-Z]{1,3}(?=\d)/, '');
  return isRepeated(digits) || digits.startsWith('123456') || digits.startsWith('000');
}

/** The forms: Chinese passport; Hong Kong and Macau, then Taiwan travel permit; foreign passport. */
function isTravelDocument(number: string): boolean {
  return (
    /^(?:[EGDSP]\d{8}|E[A-Z]\d{7})$/.test(number) ||
    /^[HM](?:\d{8}|\d{10})$/.test(number) ||
    /^\d{8}$/.test(number) ||
    /^(?=.*\d.*\d.*\d.*\d)[A-Z][A-Z0-9]{6,8}$/.test(number)
  );
}

function twoDigits(number: string, index: number): number {
  return number.charCodeAt(index) * 10 + number.charCodeAt(index + 1) - 11 * DIGIT_ZERO;
}

function document(kind: 'permit_foreigner' | 'other_document', canonical: string): IdentityNumber {
  return { kind, canonical, birthDate: null, sex: null, areaCode: null };
}

function nobody(kind: IdKind): IdentityNumber {
  return Object.freeze({ kind, canonical: null, birthDate: null, sex: null, areaCode: null });
}
