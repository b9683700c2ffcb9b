import { pinyin } from 'pinyin-pro';
import { lookAlikeRepresentative } from './look-alikes.ts';
import { memoise } from './memo.ts';
import { surnameOf, surnamePinyin } from './surnames.ts';

/** Raise it when {@link nameForms} answers differently, so that stored forms are computed anew. */
export const NAME_FORMS_VERSION = 1;

interface NormalisedName {
  readonly name: string;
  /** Rule DQ10: the name has `□`. */
  readonly unreadable: boolean;
  /** Rule DQ11: spaces, width, dots or case were put right. Marking unreadable characters is no change. */
  readonly changed: boolean;
}

interface NameForms {
  /** Empty where the name has none that can be told; see `surnameOf`. */
  readonly surname: string;
  readonly givenName: string;
  /** Toneless syllables with a space between; Latin words in small letters. */
  readonly pinyin: string;
  /** The name with each character replaced by the representative of its look-alike class. */
  readonly shape: string;
}

type NameComparison = 'equal' | 'homophone' | 'look_alike' | 'unreadable' | 'different';

/** Stands for one or more characters that cannot be read. */
const UNREADABLE = '□';
/** Question marks, geta mark, replacement character, private use areas, lone surrogates. */
const UNREADABLE_CHARACTERS = /[?？□〓\uFFFD\p{Private_Use}\p{Surrogate}]+/gu;
const INVISIBLE_CHARACTERS = /[\p{Control}\p{Format}\p{Variation_Selector}]/gu;
const SPACE_BETWEEN_HAN = /(?<=[\p{Script=Han}□·]) (?=[\p{Script=Han}□·])/gu;
/** Every dot that is typed between the parts of a name, spaces around it included. */
const DOTS_BETWEEN_HAN = /(?<=[\p{Script=Han}□]) ?[.·᛫•‧∙⋅⸱⸳・][ .·᛫•‧∙⋅⸱⸳・]*(?=[\p{Script=Han}□])/gu;

/**
 * Brings a name into the one form in which names are compared: Unicode NFKC, upper case, no space between Han
 * characters and single ones between Latin words, one `·` for all the dots between Han parts, and one `□` for
 * each run of characters that cannot be read.
 *
 * @param given the name as the source wrote it
 */
export function normaliseName(given: string): NormalisedName {
  if (isPlainHanName(given)) return { name: given, unreadable: false, changed: false };
  const name = given
    .replace(/\s/g, ' ')
    .replace(INVISIBLE_CHARACTERS, '')
    .normalize('NFKC')
    .toUpperCase()
    .normalize('NFKC')
    .replace(UNREADABLE_CHARACTERS, UNREADABLE)
    .replace(/ +/g, ' ')
    .trim()
    .replace(DOTS_BETWEEN_HAN, '·')
    .replace(SPACE_BETWEEN_HAN, '')
    .replace(/□+/g, UNREADABLE);
  return {
    name,
    unreadable: name.includes(UNREADABLE),
    changed: name !== given.replace(UNREADABLE_CHARACTERS, UNREADABLE),
  };
}

/**
 * The forms of a name that link it to misspelt ones. Each character counts for itself, so that homophones
 * and look-alikes compare well; only the surname is read as surnames are.
 *
 * @param name a name as {@link normaliseName} returns it
 */
export function nameForms(name: string): NameForms {
  const surname = surnameOf(name);
  const givenName = name.slice(surname.length);
  let sound = surname === '' ? '' : surnamePinyin(surname);
  let shape = '';
  for (const character of surname) shape += formsOf(character).shape;

  let insideWord = false;
  for (const character of givenName) {
    const forms = formsOf(character);
    shape += forms.shape;
    const isPartOfWord = forms.syllable === null;
    const token = forms.syllable ?? character.toLowerCase();
    const isSeparator = character === ' ' || character === '·';
    if (!isSeparator) sound += (sound === '' || (isPartOfWord && insideWord) ? '' : ' ') + token;
    insideWord = isPartOfWord && !isSeparator;
  }
  return { surname, givenName, pinyin: sound, shape };
}

/**
 * How two names agree: the same; sounding the same; looking the same; the same where both can be read; or not
 * at all. All but `different` are compatible names in the sense of the anomaly catalogue. Symmetric.
 *
 * @param left a name as {@link normaliseName} returns it
 * @param right another one
 */
export function compareNames(left: string, right: string): NameComparison {
  if (left === right) return 'equal';
  if (left === '' || right === '') return 'different';
  const leftForms = nameForms(left);
  const rightForms = nameForms(right);
  if (leftForms.pinyin !== '' && leftForms.pinyin === rightForms.pinyin) return 'homophone';
  if (leftForms.shape === rightForms.shape) return 'look_alike';
  return readsAs(left, right) || readsAs(right, left) ? 'unreadable' : 'different';
}

/**
 * A pattern for SQL LIKE, with its usual escape character `\`, of the names that an unreadable one may be:
 * each `□` stands for one or more characters. Null when the name can be read.
 *
 * @param name a name as {@link normaliseName} returns it
 */
export function namePattern(name: string): string | null {
  if (!name.includes(UNREADABLE)) return null;
  return name.replace(/[\\%_]/g, '\\$&').replaceAll(UNREADABLE, '_%');
}

/** Whether `name` is `unreadable` with one or more characters in place of each `□`. */
function readsAs(unreadable: string, name: string): boolean {
  const [first = '', ...rest] = unreadable.split(UNREADABLE);
  const last = rest.pop();
  if (last === undefined || !name.startsWith(first)) return false;
  let end = first.length;
  for (const part of rest) {
    const start = name.indexOf(part, end + 1);
    if (start === -1) return false;
    end = start + part.length;
  }
  return name.endsWith(last) && name.length - last.length > end;
}

/** Two to four characters of the basic Han block: nothing to put right. Most names are. */
function isPlainHanName(given: string): boolean {
  if (given.length < 2 || given.length > 4) return false;
  for (let index = 0; index < given.length; index += 1) {
    const code = given.charCodeAt(index);
    if (code < 0x4e00 || code > 0x9fff) return false;
  }
  return true;
}

/** Kept by character, because pinyin-pro is slow. `syllable` is null for what is not Han. */
const formsOf = memoise(65_536, (character) => ({
  syllable: /\p{Script=Han}/u.test(character) ? pinyin(character, { toneType: 'none', v: true }) : null,
  shape: lookAlikeRepresentative(character),
}));
