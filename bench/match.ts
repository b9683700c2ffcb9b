import { sql } from 'kysely';
import { identityFieldsSchema } from '../src/identity/identity-fields.ts';
import { matchPerson } from '../src/identity/match.ts';
import { loadModel } from '../src/identity/model/model-file.ts';
import { withWeights } from '../src/identity/model/weights.ts';
import type { Warehouse } from '../src/schema/warehouse/connect.ts';

const REQUESTS = 1000;

/** How long requests of one kind took, in ascending order. */
export interface MatchTimes {
  readonly what: string;
  readonly milliseconds: readonly number[];
}

/**
 * Asks for the persons of mentions drawn evenly over the county, one after another: by all that the mention says, then
 * without its number, then with a digit of the number changed.
 */
export async function matchTimes(warehouse: Warehouse): Promise<MatchTimes[]> {
  const model = withWeights(await loadModel('persons', 'config'));
  const { rows } = await sql<Record<string, string | null>>`
    SELECT id_number AS "idNumber", name, CASE WHEN sex IN ('1', '2') THEN sex END AS sex, birth_date::text AS "birthDate",
           phone, division, address, dwelling_code AS "dwellingCode"
    FROM (SELECT *, row_number() OVER (ORDER BY mention_id) AS place, count(*) OVER () AS mentions
          FROM identity.mention WHERE active AND name IS NOT NULL AND id_kind = 'resident') m
    WHERE place % greatest(mentions / ${REQUESTS}, 1) = 0 LIMIT ${REQUESTS}`.execute(warehouse.db);
  const given = rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)),
  );
  const kinds = {
    'with the number': given,
    'without the number': given.map(({ idNumber, ...rest }) => rest),
    'a digit of the number changed': given.map((fields) => ({
      ...fields,
      idNumber: slipped(fields['idNumber']),
    })),
  };
  const times: MatchTimes[] = [];
  for (const [what, requests] of Object.entries(kinds)) {
    const milliseconds: number[] = [];
    for (const request of requests) {
      const fields = identityFieldsSchema.parse(request);
      const began = performance.now();
      await matchPerson(warehouse, model, fields);
      milliseconds.push(performance.now() - began);
    }
    times.push({ what, milliseconds: milliseconds.toSorted((left, right) => left - right) });
  }
  return times;
}

/** Another digit in the last place of the sequence. */
function slipped(idNumber: string | null | undefined): string {
  const number = idNumber ?? '';
  return `${number.slice(0, 16)}${(Number(number.charAt(16)) + 1) % 10}${number.slice(17)}`;
}
