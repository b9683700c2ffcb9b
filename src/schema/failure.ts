import pg from 'pg';
import { PopshareError } from './errors.ts';

/** What may be told of a failure, in a log and in the ledger: nothing of it is a value of a row. */
export interface Failure {
  /** A code of the registry, or UNEXPECTED. */
  readonly code: string;
  /** The five characters by which Postgres names the condition; null when it was not Postgres that failed. */
  readonly sqlstate: string | null;
  readonly message: string;
  /** Where in the code, innermost first. */
  readonly frames: readonly string[];
}

/**
 * Classes of SQLSTATE whose messages name tables, columns and resources only. Others quote values, such as
 * `invalid input syntax for type integer: "…"` (22P02).
 */
const NAMES_ONLY = /^(08|23|40|42|53|55|57)/;
/** Where a value may begin: a quotation mark, a byte, a long number, a character that no fixed message has. */
const VALUE = /["'`]|0x|\d{6,}|[^\x20-\x7e]/;
const FRAMES = 8;

/** Describes a failure without the values that Postgres, or a parser, quotes in its messages and details. */
export function failureOf(error: unknown): Failure {
  return {
    code: error instanceof PopshareError ? error.code : 'UNEXPECTED',
    sqlstate: databaseErrorOf(error)?.code ?? null,
    message: messageWithoutValues(error),
    frames: framesOf(error),
  };
}

/** What node-postgres says, without a code, when the connection under a statement is gone. */
const CONNECTION_GONE = /connection (terminated|error|ended)|not queryable|ECONNRE|EPIPE/i;

/** Whether it was the connection that failed, not the statement: the server went away, or ended the session. */
export function isConnectionLost(error: unknown): boolean {
  const cause = databaseErrorOf(error);
  if (cause !== undefined) return /^(08|57P)/.test(cause.code ?? '');
  return error instanceof Error && CONNECTION_GONE.test(error.message);
}

/** The message of a failure, cut off where it may quote a value of a row. */
export function messageWithoutValues(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is no Error was thrown';
  if (!(error instanceof PopshareError)) return withoutValues(error);
  // Its own words are free of personal data; those of Postgres, which it may repeat, are not.
  const cause = databaseErrorOf(error);
  return cause === undefined
    ? error.message
    : error.message.replaceAll(cause.message, () => withoutValues(cause));
}

function withoutValues(error: Error): string {
  if (error instanceof pg.DatabaseError && NAMES_ONLY.test(error.code ?? '')) return error.message;
  const at = error.message.search(VALUE);
  return at === -1 ? error.message : `${error.message.slice(0, at)}…`;
}

function databaseErrorOf(error: unknown): pg.DatabaseError | undefined {
  if (error instanceof pg.DatabaseError) return error;
  return error instanceof Error && error.cause !== undefined ? databaseErrorOf(error.cause) : undefined;
}

/** A stack begins with the message: only the lines below it are taken. */
function framesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const lines = (error.stack ?? '').replace(error.message, '').split('\n');
  return lines
    .filter((line) => /^\s+at /.test(line))
    .slice(0, FRAMES)
    .map((line) => line.trim());
}
