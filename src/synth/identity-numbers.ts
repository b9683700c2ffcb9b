import { checkDigit } from '../schema/standards/identity-number.ts';
import { civilDate, compactDate, dayNumber } from './calendar.ts';
import type { County } from './county.ts';
import type { Random } from './random.ts';

const SEQUENCES_OF_A_SEX = 500;
/** Seventeen digits with their check character. */
export function withCheckCharacter(seventeen: string): string {
  return seventeen + checkDigit(seventeen);
}

/**
 * Hands out birthdays and ID numbers so that no two persons of the county share one, without a list of all.
 *
 * A year has 365 days and 500 sequence numbers for each sex: 182,500 slots. The slots of a year and sex are
 * dealt to the blocks in turn, and a block remembers which of its own it has used. Two persons therefore
 * never have the same birthday and sequence number, whatever their area codes.
 */
export class IdentityNumbers {
  readonly #county: County;
  readonly #block: number;
  readonly #used = new Set<number>();

  constructor(county: County, block: number) {
    this.#county = county;
    this.#block = block;
  }

  /**
   * A birthday in the year, before the first night, and the ID number that goes with it. When the block's slots
   * of the year are used up (a year that has only begun has few) it is the year before.
   */
  assign(random: Random, areaCode: string, sex: 1 | 2, year: number): { birth: number; idNumber: string } {
    const firstOfYear = dayNumber(year, 1, 1);
    const lastOfYear = Math.min(dayNumber(year, 12, 31), this.#county.firstDay - 1);
    const slots = (lastOfYear - firstOfYear + 1) * SEQUENCES_OF_A_SEX;
    const index = this.#take(random, year * 2 + sex, Math.ceil((slots - this.#block) / this.#county.blocks));
    if (index === undefined) return this.assign(random, areaCode, sex, year - 1);
    const slot = index * this.#county.blocks + this.#block;
    const birth = firstOfYear + Math.floor(slot / SEQUENCES_OF_A_SEX);
    const sequence = (slot % SEQUENCES_OF_A_SEX) * 2 + (sex === 1 ? 1 : 0);
    const digits = areaCode + compactDate(birth) + String(sequence).padStart(3, '0');
    return { birth, idNumber: withCheckCharacter(digits) };
  }

  /** Takes one of the block's `count` slots of a year and sex, if one is left. */
  #take(random: Random, yearAndSex: number, count: number): number | undefined {
    const start = random.below(Math.max(1, count));
    for (let attempt = 0; attempt < count; attempt += 1) {
      const index = (start + attempt) % count;
      const key = yearAndSex * 1_000_000 + index;
      if (this.#used.has(key)) continue;
      this.#used.add(key);
      return index;
    }
    return undefined;
  }
}

/** The same person's number under another area code: as unique as the first. */
export function underAreaCode(idNumber: string, areaCode: string): string {
  return withCheckCharacter(areaCode + idNumber.slice(6, 17));
}

/** The number as it was before 1999: two digits of the year, no check character. */
export function fifteenDigits(idNumber: string): string {
  return idNumber.slice(0, 6) + idNumber.slice(8, 17);
}

/** The number with a birthday that no calendar has, and a check character that is right for it. */
export function withImpossibleBirthday(idNumber: string, birth: number): string {
  const { year, month } = civilDate(birth);
  const birthday = month === 2 ? `${year}0230` : `${year}${String(month).padStart(2, '0')}32`;
  return withCheckCharacter(idNumber.slice(0, 6) + birthday + idNumber.slice(14, 17));
}
