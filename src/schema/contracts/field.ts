import { z } from 'zod';
import type { CodeList } from '../standards/codes.ts';
import { parseDate, parseMonth, parseTimestamp } from '../standards/dates.ts';

/** What a value tells about a person, and so who may see it: `docs/data-dictionary.md` explains the four. */
export type Sensitivity = 'public' | 'internal' | 'personal' | 'sensitive';

/** How the values of a field are masked when they leave the server. */
export type Masking = 'none' | 'id_number' | 'name' | 'phone' | 'address' | 'date';

export interface Meaning {
  readonly zh: string;
  readonly en: string;
}

/** One field of a contract: how to read it, what it means, how to guard it. */
export interface Field {
  readonly kind: string;
  readonly column: 'text' | 'date' | 'timestamptz' | 'integer' | 'numeric';
  readonly required: boolean;
  readonly meaning: Meaning;
  readonly sensitivity: Sensitivity;
  readonly masking: Masking;
  readonly codes: CodeList | null;
  /** Text as the source wrote it → canonical text as Postgres reads it, or null when empty. */
  readonly schema: z.ZodType<string | null, string>;
}

interface FieldOptions {
  required?: boolean;
  sensitivity?: Sensitivity;
}

/** Why a field was refused: the code of a rejected row, and its message in Chinese without the value itself. */
const REFUSALS = {
  REQUIRED: '必填项为空',
  NOT_A_DATE: '不是日期（应为 YYYYMMDD 或 YYYY-MM-DD）',
  NOT_A_MONTH: '不是年月（应为 YYYYMM）',
  NOT_A_TIME: '不是时间（应为 YYYY-MM-DD HH:mm:ss 或 ISO 8601）',
  NOT_A_NUMBER: '不是数字',
  UNKNOWN_CODE: '代码不在约定的代码表中',
  NOT_A_DIVISION: '不是 12 位区划代码',
  TOO_LONG: '超过 1000 字',
} as const;

export type RefusalCode = keyof typeof REFUSALS;

const LONGEST_TEXT = 1000;

/**
 * A schema that trims, takes empty text for "not given", and reads the rest with `read`.
 * `read` returns null for text that it cannot read.
 */
function reading(
  required: boolean,
  refusal: RefusalCode,
  read: (text: string) => string | null,
): Field['schema'] {
  return z.transform((given: string, context) => {
    const text = given.trim();
    if (text === '') {
      if (required) return refuse(context, 'REQUIRED', given);
      return null;
    }
    return read(text) ?? refuse(context, refusal, given);
  });
}

function refuse(context: z.RefinementCtx, code: RefusalCode, input: string): never {
  context.addIssue({ code: 'custom', message: REFUSALS[code], params: { refusal: code }, input });
  return z.NEVER;
}

function field(
  kind: string,
  column: Field['column'],
  meaning: Meaning,
  options: FieldOptions,
  defaults: { sensitivity: Sensitivity; masking: Masking; refusal: RefusalCode; codes?: CodeList },
  read: (text: string) => string | null,
): Field {
  const required = options.required ?? false;
  return {
    kind,
    column,
    meaning,
    required,
    sensitivity: options.sensitivity ?? defaults.sensitivity,
    masking: defaults.masking,
    codes: defaults.codes ?? null,
    schema: reading(required, defaults.refusal, read),
  };
}

const asGiven = (text: string): string | null => (text.length <= LONGEST_TEXT ? text : null);

/** Free text, kept as given. */
export function text(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'text',
    'text',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'TOO_LONG' },
    asGiven,
  );
}

/** A person's name, kept as given; its normal form goes to the mention. */
export function personName(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'name',
    'text',
    { zh, en },
    options,
    { sensitivity: 'personal', masking: 'name', refusal: 'TOO_LONG' },
    asGiven,
  );
}

/** An identity document's number, kept as given: a wrong number is a finding, not a reason to refuse the row. */
export function idNumber(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'id_number',
    'text',
    { zh, en },
    options,
    { sensitivity: 'sensitive', masking: 'id_number', refusal: 'TOO_LONG' },
    asGiven,
  );
}

export function phone(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'phone',
    'text',
    { zh, en },
    options,
    { sensitivity: 'sensitive', masking: 'phone', refusal: 'TOO_LONG' },
    asGiven,
  );
}

export function address(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'address',
    'text',
    { zh, en },
    options,
    { sensitivity: 'sensitive', masking: 'address', refusal: 'TOO_LONG' },
    asGiven,
  );
}

/** A 12-digit division code (GB/T 2260 and the statistical codes below it). Whether it exists is a rule's question. */
export function division(zh: string, en: string, options: FieldOptions = {}): Field {
  const twelveDigits = /^\d{12}$/;
  return field(
    'division',
    'text',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'NOT_A_DIVISION' },
    (given) => (twelveDigits.test(given) ? given : null),
  );
}

export function code(zh: string, en: string, codes: CodeList, options: FieldOptions = {}): Field {
  return field(
    'code',
    'text',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'UNKNOWN_CODE', codes },
    (given) => (Object.hasOwn(codes, given) ? given : null),
  );
}

export function date(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'date',
    'date',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'NOT_A_DATE' },
    parseDate,
  );
}

/** A date of birth: as a date, but personal. */
export function birthDate(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'birth_date',
    'date',
    { zh, en },
    options,
    { sensitivity: 'personal', masking: 'date', refusal: 'NOT_A_DATE' },
    parseDate,
  );
}

/** A month, stored as its first day. */
export function month(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'month',
    'date',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'NOT_A_MONTH' },
    parseMonth,
  );
}

/** A month that is part of a record's key: kept as text, YYYYMM, because keys are read by people and other systems. */
export function period(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'month',
    'text',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'NOT_A_MONTH' },
    (given) => parseMonth(given)?.slice(0, 7).replace('-', '') ?? null,
  );
}

/** A point in time; without an offset it is Asia/Shanghai. */
export function timestamp(zh: string, en: string, options: FieldOptions = {}): Field {
  return field(
    'timestamp',
    'timestamptz',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'NOT_A_TIME' },
    parseTimestamp,
  );
}

export function integer(zh: string, en: string, options: FieldOptions = {}): Field {
  const digits = /^-?\d{1,9}$/;
  return field(
    'integer',
    'integer',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'NOT_A_NUMBER' },
    (given) => (digits.test(given) ? given : null),
  );
}

/** A decimal number: plain digits with an optional point; thousands separators are not guessed at. */
export function decimal(zh: string, en: string, options: FieldOptions = {}): Field {
  const plain = /^-?\d{1,15}(\.\d{1,6})?$/;
  return field(
    'decimal',
    'numeric',
    { zh, en },
    options,
    { sensitivity: 'internal', masking: 'none', refusal: 'NOT_A_NUMBER' },
    (given) => (plain.test(given) ? given : null),
  );
}
