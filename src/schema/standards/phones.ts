import { isPlaceholderText, isRepeated, isSequential } from './placeholders.ts';

interface Phone {
  /** Digits alone, without the country's 86; null when nobody can be called on it. */
  readonly phone: string | null;
  readonly kind: 'mobile' | 'landline' | 'placeholder' | 'invalid' | 'absent';
}

const ABSENT: Phone = Object.freeze({ phone: null, kind: 'absent' });
const PLACEHOLDER: Phone = Object.freeze({ phone: null, kind: 'placeholder' });
const INVALID: Phone = Object.freeze({ phone: null, kind: 'invalid' });

/** A telephone company's own number, often typed instead of a person's. */
const CHINA_MOBILE_SERVICE = '13800138000';

/**
 * Says what a phone number is. Full width, +86, spaces, dashes and brackets are put right first.
 *
 * - `mobile`: 11 digits, 13 to 19; `landline`: 7 or 8 digits, with or without the area's 0…
 * - `placeholder`: 13800000000 and the like: the last eight digits (of a landline, the local number) all the
 *   same or in sequence; 无, 不详
 *
 * @param given the number as the source wrote it
 */
export function normalisePhone(given: string | null): Phone {
  if (given === null) return ABSENT;
  return isMobile(given) ? mobile(given) : parseAnyForm(given);
}

function parseAnyForm(given: string): Phone {
  const folded = given.normalize('NFKC').trim().toUpperCase();
  if (folded === '') return ABSENT;
  if (isPlaceholderText(folded)) return PLACEHOLDER;
  const digits = folded.replace(/[\s\p{Dash}\p{Cf}().]/gu, '').replace(/^(?:\+|00)?86(?=0?\d{10,11}$)/, '');

  if (isMobile(digits)) return mobile(digits);
  if (!/^\d*$/.test(digits)) return INVALID;
  if (digits === '' || isRepeated(digits) || isSequential(digits)) return PLACEHOLDER;
  const local = /^(?:0(?:10|2\d|[3-9]\d\d))?([2-9]\d{6,7})$/.exec(digits)?.[1];
  if (local === undefined) return INVALID;
  return isRepeated(local) || isSequential(local) ? PLACEHOLDER : { phone: digits, kind: 'landline' };
}

function mobile(digits: string): Phone {
  if (digits === CHINA_MOBILE_SERVICE || isRepeated(digits, 3) || isSequential(digits, 3)) return PLACEHOLDER;
  return { phone: digits, kind: 'mobile' };
}

function isMobile(text: string): boolean {
  if (text.length !== 11 || text.charCodeAt(0) !== 49 || text.charCodeAt(1) < 51) return false;
  for (let index = 1; index < 11; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 48 || code > 57) return false;
  }
  return true;
}
