import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';

/** A person's best values, masked, and which feeds they are from. */
export interface Profile {
  readonly person_id: number;
  readonly id_number: string | null;
  readonly name: string | null;
  readonly sex: string | null;
  readonly birth_date: string | null;
  readonly death_date: string | null;
  readonly phone: string | null;
  readonly marital_status: string | null;
  readonly registered_division: string | null;
  readonly registered_address: string | null;
  readonly household_code: string | null;
  readonly is_local: boolean;
  readonly source: string;
  readonly other_sources: Readonly<Record<string, string>> | null;
  readonly disagreements: readonly { attribute: string; value: string; feeds: string[] }[];
}

/** The profile of a person in scope; null when there is none. */
export async function readProfile(db: Kysely<DB>, personId: number): Promise<Profile | null> {
  const { rows } = await sql<Profile>`
    SELECT p.*, (SELECT coalesce(jsonb_agg(jsonb_build_object('attribute', d.attribute, 'value', d.value, 'feeds', d.feeds)
                                           ORDER BY d.attribute, d.value), '[]')
                 FROM masked.disagreement d WHERE d.person_id = ${personId}) AS disagreements
    FROM masked.person p WHERE p.person_id = ${personId}`.execute(db);
  return rows[0] ?? null;
}

/** Who took the place of a person that was merged away, if in scope. */
export async function successorOf(db: Kysely<DB>, personId: number): Promise<number | null> {
  const { rows } = await sql<{ successor: number | null }>`
    SELECT access.merged_into(${personId}::bigint) AS successor`.execute(db);
  return rows[0]?.successor ?? null;
}

/** Where a person lived, who with, and what happened to them as a person. */
export interface Life {
  readonly residences: readonly {
    since: string;
    until: string | null;
    registered_division: string | null;
    living_division: string | null;
    category: string;
    evidence: Record<string, unknown>;
  }[];
  readonly residency: { index: number; as_of: string; signs: unknown } | null;
  readonly households: readonly {
    household_code: string;
    relation: string | null;
    /** Null where the household is outside the scope. */
    division: string | null;
    members: number | null;
    /** Those in scope. */
    known_members: { person_id: number; name: string | null; relation: string | null }[];
  }[];
  readonly dwellings: readonly {
    dwelling_id: number;
    relation: string;
    feed: string;
    source_key: string;
    since: string | null;
    until: string | null;
    /** Null where the dwelling is outside the scope, as its code and address. */
    division: string | null;
    code: string | null;
    address: string | null;
  }[];
  readonly events: readonly { kind: string; person_id: number; other_person_id: number | null; at: Date }[];
}

/**
 * What the population picture says of a person in scope. Who else is in scope is asked one by one: what is beside the
 * person is looked up by its key, never joined.
 */
export async function readLife(db: Kysely<DB>, personId: number): Promise<Life> {
  const residences = await sql<Life['residences'][number]>`
    SELECT since, until, registered_division, living_division, category, evidence
    FROM population.residence WHERE person_id = ${personId} ORDER BY since DESC`.execute(db);
  const residency = await sql<NonNullable<Life['residency']>>`
    SELECT index, as_of, signs FROM identity.residency WHERE person_id = ${personId}`.execute(db);
  const households = await sql<Life['households'][number]>`
    SELECT m.household_code, m.relation, h.division, h.members,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('person_id', o.person_id, 'relation', o.relation, 'name', (
                      SELECT p.name FROM masked.person p WHERE p.person_id = o.person_id)) ORDER BY o.person_id), '[]')
            FROM population.household_member o WHERE o.household_code = m.household_code) AS known_members
    FROM population.household_member m LEFT JOIN population.household h USING (household_code)
    WHERE m.person_id = ${personId} ORDER BY m.household_code`.execute(db);
  const dwellings = await sql<Life['dwellings'][number]>`
    SELECT o.dwelling_id, o.relation, o.feed, o.source_key, o.since, o.until, d.division, d.code, d.address
    FROM population.dwelling_person o
    LEFT JOIN LATERAL (SELECT * FROM masked.dwelling d WHERE d.dwelling_id = o.dwelling_id LIMIT 1) d ON true
    WHERE o.person_id = ${personId} ORDER BY o.dwelling_id, o.mention_id`.execute(db);
  const events = await sql<Life['events'][number]>`
    SELECT kind, person_id, other_person_id, at FROM identity.person_event
    WHERE person_id = ${personId} ORDER BY event_id`.execute(db);
  return {
    residences: residences.rows,
    residency: residency.rows[0] ?? null,
    households: households.rows,
    dwellings: dwellings.rows,
    events: events.rows,
  };
}

/** A case that speaks of a person. */
export interface PersonCase {
  readonly anomaly_id: number;
  readonly rule: string;
  readonly severity: string;
  readonly status: string;
  readonly feed: string | null;
  readonly source_key: string | null;
  readonly opened_on: string;
  readonly due_on: string | null;
}

const MOST_CASES = 200;

/** The cases of a person in scope, open ones first. */
export async function readCases(db: Kysely<DB>, personId: number): Promise<PersonCase[]> {
  const { rows } = await sql<PersonCase>`
    SELECT anomaly_id, rule, severity, status, feed, source_key, opened_on, due_on FROM anomalies.anomaly
    WHERE person_id = ${personId}
    ORDER BY status IN ('resolved', 'dismissed'), due_on NULLS LAST, anomaly_id LIMIT ${MOST_CASES}`.execute(
    db,
  );
  return rows;
}
