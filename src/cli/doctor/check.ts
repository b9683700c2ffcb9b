import { PopshareError } from '../../schema/errors.ts';
import { messageWithoutValues } from '../../schema/failure.ts';

/** What the doctor finds of one thing. */
export interface Check {
  readonly name: string;
  /** A warning wants somebody's eyes; with a problem, something does not work, or soon will not. */
  readonly state: 'ok' | 'warning' | 'problem';
  readonly found: string;
  /** How to mend it; empty when there is nothing to mend. */
  readonly todo: string;
}

export const ok = (name: string, found: string): Check => ({ name, state: 'ok', found, todo: '' });
export const warning = (name: string, found: string, todo: string): Check => ({
  name,
  state: 'warning',
  found,
  todo,
});
export const problem = (name: string, found: string, todo: string): Check => ({
  name,
  state: 'problem',
  found,
  todo,
});

/** What an error of the registry says, as a check; others say what may be told of them. */
export function failed(name: string, error: unknown): Check {
  const todo = error instanceof PopshareError ? error.todo : 'See docs/operations.md.';
  return problem(name, messageWithoutValues(error), todo);
}
