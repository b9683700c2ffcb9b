import { type Kysely, sql } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';

/** Somebody to whom cases can be given. */
export interface Officer {
  readonly name: string;
  readonly display_name: string;
  readonly role: 'officer' | 'supervisor';
  /** The digits that the codes of their divisions begin with; null: everywhere. */
  readonly division: string | null;
  /** Null: all of them. */
  readonly department: string | null;
}

/** Where cases are, and whose; null: anywhere, or anybody's. */
export interface PlaceOfCases {
  /** Digits that their divisions begin with. */
  readonly division: string | null;
  /** Whoever of these sees them. */
  readonly departments: readonly string[] | null;
}

/** Officers and supervisors, by name, whose scope meets that of whoever asks. */
export async function listOfficers(
  db: Kysely<DB>,
  { division, department }: Pick<Officer, 'division' | 'department'>,
): Promise<Officer[]> {
  const { rows } = await sql<Officer>`
    SELECT name, display_name, role, division, department FROM access.account
    WHERE role IN ('officer', 'supervisor') AND disabled_at IS NULL
      AND (division IS NULL OR ${division}::text IS NULL OR starts_with(division, ${division})
           OR starts_with(${division}, division))
      AND (department IS NULL OR ${department}::text IS NULL OR department = ${department})
    ORDER BY name`.execute(db);
  return rows;
}

/**
 * Whether somebody is there to whom cases can be given, and sees them: who does not would never find them.
 *
 * @throws CASE_INPUT saying what that person sees
 */
export async function requireOfficer(
  db: Kysely<DB>,
  name: string,
  { division, departments }: PlaceOfCases,
): Promise<void> {
  const { rows } = await sql<Pick<Officer, 'division' | 'department'>>`
    SELECT division, department FROM access.account
    WHERE name = ${name} AND role IN ('officer', 'supervisor') AND disabled_at IS NULL`.execute(db);
  const [officer] = rows;
  if (officer === undefined)
    throw new PopshareError('CASE_INPUT', `there is no officer ${name}; /api/officers lists them`);
  const sees =
    (officer.division === null || (division ?? '').startsWith(officer.division)) &&
    (officer.department === null || (departments ?? []).includes(officer.department));
  if (sees) return;
  const scope = [officer.division, officer.department].filter((part) => part !== null).join(' of ');
  throw new PopshareError('CASE_INPUT', `${name} sees cases of ${scope} alone: give others to somebody else`);
}
