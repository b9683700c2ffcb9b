import { loadModel } from '../../src/identity/model/model-file.ts';
import { type TrainedModel, withWeights } from '../../src/identity/model/weights.ts';
import type { useCounty } from '../support/drop.ts';

type County = ReturnType<typeof useCounty>;

/** The shipped model of persons. */
export async function personsModel(): Promise<TrainedModel> {
  return withWeights(await loadModel('persons', 'config'));
}

/** Which person each record stands for: `feed key role` → person id, in the order of the records. */
export async function personsOf(county: County): Promise<Record<string, number>> {
  const rows = await county.query<{ record: string; person_id: number }>(
    `SELECT concat_ws(' ', feed, source_key, role) AS record, person_id FROM reporting.link ORDER BY record`,
  );
  return Object.fromEntries(rows.map(({ record, person_id }) => [record, person_id]));
}

/** The records person by person, whatever the ids: the same text for the same partition. */
export function partition(
  persons: Readonly<Record<string, number>>,
  aside: ReadonlySet<string> = new Set(),
): string {
  const groups = new Map<number, string[]>();
  for (const [record, person] of Object.entries(persons)) {
    if (!aside.has(record)) groups.set(person, [...(groups.get(person) ?? []), record]);
  }
  return [...groups.values()]
    .map((records) => records.join(', '))
    .sort()
    .join('\n');
}

/** The open reviews, each with its two records in the order of their names: which came first does not matter. */
export async function reviewsOf(county: County): Promise<unknown[]> {
  return county.query(`
    SELECT kind, weight, least(l.record, r.record) AS record, greatest(l.record, r.record) AS other
    FROM reporting.review,
         LATERAL (SELECT concat_ws(' ', left_feed, left_source_key, left_role) AS record) l,
         LATERAL (SELECT concat_ws(' ', right_feed, right_source_key, right_role) AS record) r
    WHERE status = 'open' ORDER BY record, other`);
}

/** The mention of a record, `feed key role`. */
export async function mentionOf(county: County, record: string): Promise<number> {
  const [row] = await county.query<{ mention_id: number }>(
    `SELECT mention_id FROM identity.mention WHERE concat_ws(' ', feed, source_key, role) = $1`,
    [record],
  );
  if (row === undefined) throw new Error(`there is no mention ${record}`);
  return row.mention_id;
}
