import { z } from 'zod';
import { normaliseAddress } from '../schema/standards/addresses.ts';
import { lunarDate, parseDate } from '../schema/standards/dates.ts';
import { parseIdNumber } from '../schema/standards/identity-number.ts';
import { nameForms, namePattern, normaliseName } from '../schema/standards/names.ts';
import { normalisePhone } from '../schema/standards/phones.ts';
import { isPlaceholderName } from '../schema/standards/placeholders.ts';

const text = z.string().trim().min(1).max(1000);
const division = z.string().regex(/^\d{12}$/, 'not a division code of 12 digits');

/** What is known of a person, as an officer or another system writes it. */
export const identityFieldsSchema = z
  .strictObject({
    idNumber: text,
    name: text,
    sex: z.enum(['1', '2'], 'not 1 (male) or 2 (female), GB/T 2261.1'),
    birthDate: text.transform((given, context) => {
      const date = parseDate(given);
      if (date !== null) return date;
      context.addIssue({ code: 'custom', message: 'not a date YYYYMMDD or YYYY-MM-DD', input: given });
      return z.NEVER;
    }),
    phone: text,
    division,
    registeredDivision: division,
    address: text,
    dwellingCode: text,
  })
  .partial();

export type IdentityFields = z.output<typeof identityFieldsSchema>;

/** The columns of identity.feature that fields can fill. */
export interface GivenFeature {
  readonly id_number: string | null;
  readonly id_odd: string | null;
  readonly name: string | null;
  readonly pinyin: string | null;
  readonly shape: string | null;
  readonly name_pattern: string | null;
  readonly surname_pinyin: string | null;
  readonly given_pinyin: string | null;
  readonly sex: string | null;
  readonly birth: string | null;
  readonly id_birth: string | null;
  readonly lunar_birth: string | null;
  readonly phone: string | null;
  readonly division: string | null;
  readonly registered_division: string | null;
  readonly address: string | null;
  readonly dwelling_code: string | null;
}

/** The features that a mention with these fields would have in the view identity.feature. */
export function featureOf(fields: IdentityFields): GivenFeature {
  const id = parseIdNumber(fields.idNumber ?? null);
  const isOdd = id.kind === 'invalid' || id.kind === 'impossible_birth';
  const number = id.canonical ?? fields.idNumber ?? '';
  return {
    id_number: id.canonical,
    id_odd: isOdd ? (fields.idNumber ?? null) : null,
    ...nameFeatures(fields.name),
    sex: fields.sex ?? null,
    birth: fields.birthDate?.replaceAll('-', '') ?? null,
    id_birth:
      id.kind !== 'impossible_birth' && id.kind !== 'placeholder' && Array.from(number).length === 18
        ? Array.from(number).slice(6, 14).join('')
        : null,
    lunar_birth: fields.birthDate === undefined ? null : String(lunarDate(fields.birthDate)),
    phone: normalisePhone(fields.phone ?? null).phone,
    division: fields.division ?? null,
    registered_division: fields.registeredDivision ?? null,
    address: fields.address === undefined ? null : normaliseAddress(fields.address),
    dwelling_code: fields.dwellingCode ?? null,
  };
}

type NameFeatures = Pick<
  GivenFeature,
  'name' | 'pinyin' | 'shape' | 'name_pattern' | 'surname_pinyin' | 'given_pinyin'
>;

function nameFeatures(given: string | undefined): NameFeatures {
  const none = { name: null, pinyin: null, shape: null, name_pattern: null };
  if (given === undefined || isPlaceholderName(given))
    return { ...none, surname_pinyin: null, given_pinyin: null };
  const { name } = normaliseName(given);
  const { pinyin, shape } = nameForms(name);
  const [surname = '', ...rest] = pinyin.split(' ');
  return {
    name,
    pinyin,
    shape,
    name_pattern: namePattern(name),
    surname_pinyin: surname,
    given_pinyin: rest.length === 0 ? null : rest.join(' '),
  };
}
