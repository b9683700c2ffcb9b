import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { type CaseFilter, laneConditions } from './filter.ts';

/** A rule and the feed of its records, which have one severity and one department. */
export interface Lane {
  /** `<rule> <feed>`; a rule without records has no feed. */
  readonly lane: string;
  readonly severity: string;
  readonly department: string;
}

/** The severity as a number: 1 comes first. */
export function rankOf({ severity }: Pick<Lane, 'severity'>): number {
  return severity === 'high' ? 1 : severity === 'medium' ? 2 : 3;
}

/** The lanes of queued cases that a filter lets through: they are few. */
export async function lanesOf(db: Kysely<DB>, filter: CaseFilter): Promise<Lane[]> {
  const { rows } = await sql<Lane>`
    SELECT lane, severity, department FROM anomalies.lanes() l
    WHERE severity <> 'info' AND ${laneConditions(filter, sql`l`)}`.execute(db);
  return rows;
}
