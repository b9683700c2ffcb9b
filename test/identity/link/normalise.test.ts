import { expect, test } from 'vitest';
import { NORMALISERS } from '../../../src/identity/link/normalise.ts';
import type { ColumnKind } from '../../../src/identity/model/model-file.ts';

test.each<[ColumnKind, string, string | null]>([
  ['text', '  Stanley   STREET ', 'stanley street'],
  ['text', 'ＡＢＣ　１２', 'abc 12'],
  ['text', '   ', null],
  ['exact', ' Ab ', 'Ab'],
  ['digits', '+86 138-0013 8000', '8613800138000'],
  ['digits', '１２３', '123'],
  ['digits', 'none', null],
  ['date', '1990-1-5', '19900105'],
  ['date', '1990年12月31日', '19901231'],
  ['date', '1990/02/03 00:00:00', '19900203'],
  ['date', '19175009', '19175009'],
  ['date', '', null],
  ['number', ' -12.50 ', '-12.50'],
  ['number', '12,5', null],
  ['list', 'Red; blue ;red', '{"blue","red"}'],
  ['list', 'a"b|c\\d', '{"a\\"b","c\\\\d"}'],
  ['list', ' ; ', null],
])('%s %j becomes %j', (kind, given, expected) => {
  expect(NORMALISERS[kind](given)).toBe(expected);
});
