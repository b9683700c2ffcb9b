import { sql, type Transaction } from 'kysely';
import type { DB } from '../schema/database.ts';
import { type PictureDay, RECORDED_SIGNS, SIGN_KINDS, SPOUSE } from './sign-kinds.ts';

/** Persons who gave the same kinds of signs. */
export interface Pattern {
  readonly kinds: ReadonlySet<string>;
  readonly persons: number;
}

/** What a kind of sign says of the others. */
export interface SignWeight {
  readonly kind: string;
  /** 0 … 1: how much of the gap to certainty the sign closes. */
  readonly weight: number;
  readonly informative: boolean;
  readonly occurrences: number;
  /** P(another informative kind | this kind), and without the condition; null when there is nothing to count. */
  readonly given: number | null;
  readonly expected: number | null;
}

interface Estimation {
  readonly leastOccurrences: number;
  /** The least weight of a kind that others may lean on. */
  readonly informative: number;
  readonly defaults: Readonly<Record<string, number>>;
}

/**
 * The weight of each kind of sign, from how well it predicts that a sign of another kind appears too:
 *
 *     w = max(0, (P(other | sign) - P(other)) / (1 - P(other)))
 *
 * Only informative kinds count as others, else two kinds that go together for another reason (a landlord owns a
 * dwelling) would vouch for each other. Which are informative is found by backward elimination: all are at first,
 * and the least is dropped as long as it is below the limit. A kind with few occurrences takes its default.
 *
 * @param kinds whose weights are estimated from these patterns
 * @param others informative kinds whose weights are known from elsewhere
 */
export function estimateWeights(
  patterns: readonly Pattern[],
  kinds: readonly string[],
  others: ReadonlySet<string>,
  estimation: Estimation,
): SignWeight[] {
  const informative = new Set([...kinds, ...others]);
  for (;;) {
    const weights = kinds.map((kind) => weigh(patterns, kind, informative, estimation));
    const [least] = weights
      .filter(({ kind, informative: holds }) => informative.has(kind) && !holds)
      .sort((left, right) => left.weight - right.weight || (left.kind < right.kind ? -1 : 1));
    if (least === undefined) return weights;
    informative.delete(least.kind);
  }
}

function weigh(
  patterns: readonly Pattern[],
  kind: string,
  informative: ReadonlySet<string>,
  { leastOccurrences, informative: limit, defaults }: Estimation,
): SignWeight {
  const count = (holds: (pattern: Pattern) => boolean): number =>
    patterns.filter(holds).reduce((sum, { persons }) => sum + persons, 0);
  const hasKind = ({ kinds }: Pattern): boolean => kinds.has(kind);
  const hasOther = ({ kinds }: Pattern): boolean =>
    [...kinds].some((other) => other !== kind && informative.has(other));
  const persons = count(() => true);
  const occurrences = count(hasKind);
  const given =
    occurrences === 0 ? null : count((pattern) => hasKind(pattern) && hasOther(pattern)) / occurrences;
  const expected = persons === 0 ? null : count(hasOther) / persons;
  const estimated = given !== null && expected !== null && expected < 1 && occurrences >= leastOccurrences;
  const weight = estimated ? Math.max(0, (given - expected) / (1 - expected)) : (defaults[kind] ?? 0);
  return { kind, weight, informative: weight >= limit, occurrences, given, expected };
}

/**
 * Estimates the weights anew on the first night, and on the first night of each month; in between they stand.
 *
 * Over persons who are registered here and alive, and signs of the twelve months that end with the night's. Adults
 * alone, but for the kinds that children give: nearly all registered children live here, so that among themselves
 * nothing would be left to tell; these are compared with all ages. After: population.sign_weight has every kind.
 */
export async function estimateSignWeights(tx: Transaction<DB>, day: PictureDay): Promise<void> {
  const { asOf, settings } = day;
  const { least_occurrences, informative, defaults } = settings.weights;
  const estimation: Estimation = { leastOccurrences: least_occurrences, informative, defaults };
  const patterns = await readPatterns(tx, asOf);
  const adults = estimateWeights(
    patterns.filter(({ adults }) => adults),
    [...kindsAmong('adults'), SPOUSE],
    new Set(),
    estimation,
  );
  const told = new Set(adults.filter(({ informative: holds }) => holds).map(({ kind }) => kind));
  const ofChildren = estimateWeights(patterns, kindsAmong('all ages'), told, estimation);
  const weights = [...adults, ...ofChildren];
  const column = <Value>(pick: (weight: SignWeight) => Value): Value[] => weights.map(pick);
  await sql`DELETE FROM population.sign_weight`.execute(tx);
  await sql`
    INSERT INTO population.sign_weight (kind, weight, informative, as_of, occurrences, given_sign, expected)
    SELECT w.kind, round(w.weight::numeric, 4), w.informative, ${asOf}::date, w.occurrences, w.given, w.expected
    FROM unnest(${column(({ kind }) => kind)}::text[], ${column(({ weight }) => weight)}::float8[],
                ${column((weight) => weight.informative)}::boolean[], ${column(({ occurrences }) => occurrences)}::integer[],
                ${column(({ given }) => given)}::float8[], ${column(({ expected }) => expected)}::float8[])
      AS w (kind, weight, informative, occurrences, given, expected)`.execute(tx);
}

function kindsAmong(among: 'adults' | 'all ages'): string[] {
  return RECORDED_SIGNS.filter((sign) => sign.among === among).map(({ kind }) => kind);
}

async function readPatterns(
  tx: Transaction<DB>,
  asOf: string,
): Promise<(Pattern & { readonly adults: boolean })[]> {
  const { rows } = await sql<{ mask: number; adults: boolean; persons: number }>`
    SELECT mask, adults, count(*) AS persons FROM (
      SELECT t.person_id, t.birth_date IS NOT NULL AND t.birth_date <= ${asOf}::date - interval '18 years' AS adults,
             coalesce(s.mask, 0) AS mask
      FROM population.standing t
      LEFT JOIN (
        SELECT person_id, bit_or(1 << k.bit) AS mask
        FROM population.sign s
        JOIN (SELECT kind, (ordinality - 1)::integer AS bit FROM unnest(${SIGN_KINDS}::text[]) WITH ORDINALITY AS u (kind)) k
          ON k.kind = s.kind
        WHERE s.since <= ${asOf}::date
          AND (s.until IS NULL OR s.until >= (date_trunc('month', ${asOf}::date) - interval '11 months')::date)
        GROUP BY person_id) s USING (person_id)
      WHERE t.registered_key IS NOT NULL AND t.left_on IS NULL) p
    GROUP BY mask, adults ORDER BY mask, adults`.execute(tx);
  return rows.map(({ mask, adults, persons }) => ({
    kinds: new Set(SIGN_KINDS.filter((_, bit) => (mask & (1 << bit)) !== 0)),
    adults,
    persons,
  }));
}
