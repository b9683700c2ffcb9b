import { PopshareError } from '../../schema/errors.ts';

/**
 * Something that officers, or who works for them, must give.
 *
 * @param holds whether it was given
 * @param complaint what is wrong, and what was expected
 * @throws CASE_INPUT with the complaint
 */
export function requireInput(holds: boolean, complaint: string): void {
  if (!holds) throw new PopshareError('CASE_INPUT', complaint);
}
