/**
 * Repeatable chance. Nothing here is secret: the generator is fast and the same on every machine, which is
 * what invented data need.
 */

/** Mixes up to four 32-bit integers into one, well spread (the finaliser of MurmurHash3, public domain). */
export function mix(first: number, second = 0, third = 0, fourth = 0): number {
  let hash = scramble(first ^ 0x9e3779b9);
  hash = scramble(hash ^ Math.imul(second, 0x85ebca6b));
  hash = scramble(hash ^ Math.imul(third, 0xc2b2ae35));
  return scramble(hash ^ Math.imul(fourth, 0x27d4eb2f)) >>> 0;
}

/** A share in [0, 1) that belongs to four integers: chance without a generator to carry around. */
export function share(first: number, second = 0, third = 0, fourth = 0): number {
  return mix(first, second, third, fourth) / 0x1_0000_0000;
}

function scramble(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** xoshiro128** (Blackman and Vigna, 2018), seeded from one 32-bit integer. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    this.#a = mix(seed, 1);
    this.#b = mix(seed, 2);
    this.#c = mix(seed, 3);
    this.#d = mix(seed, 4) | 1;
  }

  /** The next share in [0, 1). */
  next(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result / 0x1_0000_0000;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** An integer in [from, to], both ends included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One item, each as likely as another. The list must not be empty. */
  pick<Item>(items: ArrayLike<Item>): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('pick from an empty list');
    return item;
  }
}

/** Items with weights, drawn by their share of the whole. */
export class WeightedTable<Item> {
  readonly #items: readonly Item[];
  readonly #upTo: readonly number[];

  constructor(entries: readonly (readonly [Item, number])[]) {
    let sum = 0;
    this.#items = entries.map(([item]) => item);
    this.#upTo = entries.map(([, weight]) => {
      sum += weight;
      return sum;
    });
  }

  draw(random: Random): Item {
    const target = random.next() * (this.#upTo.at(-1) ?? 0);
    let low = 0;
    let high = this.#items.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#upTo[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    const item = this.#items[low];
    if (item === undefined) throw new RangeError('draw from an empty table');
    return item;
  }
}
