/**
 * The one registry of errors: every failure that a person can meet has a code, says what happened,
 * where, and what to do about it. `docs/errors.md` is written from this table.
 *
 * `exit` is the process exit code of the command line (INTERFACE: 1 failed, 2 wrong usage or configuration); `status`
 * is the HTTP status of the API, 500 where a request cannot bring it about.
 */
export const ERROR_REGISTRY = {
  CONFIG_NOT_FOUND: { exit: 2, todo: 'Point POPSHARE_CONFIG at a folder that holds popshare.yaml.' },
  CONFIG_INVALID: { exit: 2, todo: 'Mend the file at the line named; docs/configuration.md lists the keys.' },
  USAGE: { exit: 2, status: 422, todo: 'See --help of the command.' },
  DATABASE_UNREACHABLE: {
    exit: 1,
    status: 503,
    todo: 'Check DATABASE_URL and that the server accepts connections.',
  },
  DATABASE_TOO_OLD: { exit: 2, todo: 'Use Postgres 15 or newer.' },
  DATABASE_NOT_MIGRATED: { exit: 2, todo: 'Run `npx popshare migrate` first.' },
  DATABASE_NEWER: { exit: 2, todo: 'The warehouse was migrated by a newer popshare; upgrade this one.' },
  EMBEDDED_UNSUPPORTED: {
    exit: 2,
    todo: 'No embedded Postgres for this platform: set DATABASE_URL to a Postgres server.',
  },
  EMBEDDED_FAILED: { exit: 1, todo: 'Read the server log named in the message.' },
  EMBEDDED_BUSY: {
    exit: 1,
    todo: 'Another process uses this data folder: wait for it, or use another POPSHARE_DATA.',
  },
  PATH_OUTSIDE_ROOT: {
    exit: 1,
    todo: 'Files are read below the configured folder only; links out are refused.',
  },
  SOURCE_UNREADABLE: { exit: 1, status: 422, todo: 'Check that the file exists and may be read.' },
  SOURCE_EMPTY: { exit: 1, status: 422, todo: 'Ask the department to send the file again.' },
  SOURCE_FORMAT: {
    exit: 1,
    status: 422,
    todo: 'The bytes are not of the format that the binding names; ask for the file again.',
  },
  SOURCE_TOO_LARGE: {
    exit: 1,
    status: 413,
    todo: 'A cell, row, column count or archive is beyond the limits in docs/limits.md.',
  },
  SOURCE_ENCODING: { exit: 1, status: 422, todo: 'The bytes are not text in the encoding of the feed.' },
  DELIVERY_UNKNOWN: { exit: 2, status: 404, todo: 'List deliveries with `npx popshare deliveries list`.' },
  DELIVERY_STATE: {
    exit: 1,
    status: 409,
    todo: 'The delivery is not in a state that allows this; `deliveries show ID` tells.',
  },
  BOOKS_UNBALANCED: {
    exit: 1,
    todo: 'A defect: nothing was committed. Report it with the counts in the message.',
  },
  STAGE_INCOMPLETE: {
    exit: 1,
    todo: 'The database server restarted while the delivery was read: run the date again.',
  },
  QUEUE_UNREACHABLE: {
    exit: 1,
    status: 503,
    todo: 'Check REDIS_URL and that the server accepts connections; without REDIS_URL the queue is in the warehouse.',
  },
  RUN_IN_PROGRESS: { exit: 1, status: 409, todo: 'Wait for the other run, or stop it.' },
  STALE_WORKER: {
    exit: 1,
    status: 409,
    todo: 'Another worker has taken over; this one committed nothing more.',
  },
  FEED_UNKNOWN: { exit: 2, status: 404, todo: 'Feeds are named in config/feeds/*.yaml.' },
  FEED_SNAPSHOT: {
    exit: 1,
    status: 409,
    todo: 'What is not in a snapshot counts as removed: send all of it as a file, as its binding says.',
  },
  ROWS_UNREADABLE: {
    exit: 1,
    status: 422,
    todo: 'Send an array of objects, or one object a line, in UTF-8; nothing of the body was taken.',
  },
  ROWS_COLUMNS: {
    exit: 1,
    status: 422,
    todo: 'Name columns as the binding does (GET /api/feeds); nothing of the body was taken.',
  },
  ROWS_EMPTY: { exit: 1, status: 422, todo: 'Who has no rows to send need not send any.' },
  IDEMPOTENCY_KEY: {
    exit: 1,
    status: 422,
    todo: 'Send new rows under a new key; nothing of the body was taken.',
  },
  ANSWER_FILE: {
    exit: 2,
    status: 422,
    todo: 'Nothing of the file was taken over: mend the lines named and read it in again.',
  },
  CORRECTION_UNKNOWN: { exit: 2, status: 404, todo: 'List the lists with `npx popshare corrections list`.' },
  FIELD_CHECK_UNKNOWN: {
    exit: 2,
    status: 404,
    todo: 'List field checks with `npx popshare field-checks list`.',
  },
  FIELD_CHECK: { exit: 2, status: 422, todo: 'See the case with `npx popshare cases show ID`.' },
  AUDIT_ANCHOR: { exit: 2, todo: 'Give the file that the nights write: audit-anchors.log in POPSHARE_DATA.' },
  INDICATOR_FAILED: { exit: 1, todo: 'The SQL of an indicator file failed; mend the file that is named.' },
  INDICATOR_UNKNOWN: { exit: 2, status: 404, todo: 'List indicators with `npx popshare indicators list`.' },
  RULE_FAILED: { exit: 1, status: 422, todo: 'The SQL of a rule file failed; mend the file that is named.' },
  LINK_INPUT: { exit: 2, todo: 'Mend the input file at the place named; docs/linkage.md says what is read.' },
  MODEL_EXPRESSION: {
    exit: 2,
    todo: 'Mend the SQL of the model at the part named; docs/linkage.md lists the functions.',
  },
  MODEL_UNTRAINABLE: {
    exit: 2,
    todo: 'Give the model a blocking rule that does not read what this comparison reads.',
  },
  MODEL_NO_DATA: { exit: 1, todo: 'Run a night first: there is nothing yet to learn from or to compare.' },
  MODEL_UNTRAINED: { exit: 2, todo: 'Train it first: `npx popshare model train --write`.' },
  MENTION_UNKNOWN: {
    exit: 2,
    status: 404,
    todo: 'Name a record by feed, key and role as `reporting.link` has them.',
  },
  REVIEW_UNKNOWN: { exit: 2, status: 404, todo: 'List reviews with `npx popshare reviews list`.' },
  REVIEW_STATE: { exit: 1, status: 409, todo: 'The review is not open any more; `reviews show ID` tells.' },
  DECISION_UNKNOWN: {
    exit: 2,
    status: 404,
    todo: '`npx popshare reviews show ID` lists the decisions in force.',
  },
  DECISION_CONFLICT: {
    exit: 1,
    status: 409,
    todo: 'Lift the decision that is named first: `reviews lift DECISION`.',
  },
  RULE_UNKNOWN: { exit: 2, status: 404, todo: 'List rules with `npx popshare rules list`.' },
  CASE_UNKNOWN: { exit: 2, status: 404, todo: 'List cases with `npx popshare cases list`.' },
  CASE_INPUT: {
    exit: 2,
    status: 422,
    todo: 'Mend what the message names; docs/queue.md says what filters and actions take.',
  },
  CASE_CHANGED: { exit: 1, status: 412, todo: 'Look at the case again, and decide upon what it says now.' },
  CASE_STATE: {
    exit: 1,
    status: 409,
    todo: 'The case does not allow this now; `npx popshare cases show ID` names what it does.',
  },
  BULK_UNKNOWN: { exit: 2, status: 404, todo: 'The command that made the bulk action told its number.' },
  BULK_STATE: { exit: 1, status: 409, todo: 'The bulk action has been undone already.' },
  SUPPRESSION_UNKNOWN: {
    exit: 2,
    status: 404,
    todo: 'List suppressions with `npx popshare cases suppressions`.',
  },
  UNAUTHENTICATED: { exit: 1, status: 401, todo: 'Sign in, or send a token that is valid.' },
  FORBIDDEN: { exit: 1, status: 403, todo: 'Your role does not allow this; an administrator gives roles.' },
  CSRF_TOKEN: {
    exit: 1,
    status: 403,
    todo: 'Send the `csrf_token` of GET /api/session in the header x-csrf-token.',
  },
  SIGN_IN_FAILED: {
    exit: 1,
    status: 401,
    todo: 'Check name, password and code, or ask an administrator; after five failures one has to wait.',
  },
  SIGN_IN_LOCKED: {
    exit: 1,
    status: 429,
    todo: 'Wait as long as Retry-After says; an administrator can reset the account.',
  },
  SIGN_IN_BUSY: { exit: 1, status: 503, todo: 'Many sign in at this moment: try again in a few seconds.' },
  CODE_REQUIRED: {
    exit: 1,
    status: 401,
    todo: 'Send `code` as well: of the authenticator, or a recovery code.',
  },
  CODE_SETUP_REQUIRED: {
    exit: 1,
    status: 403,
    todo: 'Set up an authenticator first: POST /api/session/authenticator, then sign in with its code.',
  },
  PASSWORD_EXPIRED: { exit: 1, status: 403, todo: 'Send a `new_password` of your own as well.' },
  PASSWORD_WEAK: {
    exit: 2,
    status: 422,
    todo: 'Choose a longer one, such as several words that do not belong together.',
  },
  OIDC_FAILED: { exit: 1, status: 401, todo: 'Begin anew at the sign-in page.' },
  OIDC_UNREACHABLE: {
    exit: 1,
    status: 503,
    todo: 'Sign in with a password, or later; the operator finds the reason in the log.',
  },
  ACCOUNT_UNKNOWN: { exit: 2, status: 404, todo: 'List accounts with `npx popshare user list`.' },
  ACCOUNT_EXISTS: { exit: 1, status: 409, todo: 'Choose another name, or another user of the provider.' },
  ACCOUNT_INPUT: {
    exit: 2,
    status: 422,
    todo: 'Mend what the message names; docs/accounts.md says what is asked.',
  },
  ACCOUNT_CHANGED: {
    exit: 1,
    status: 412,
    todo: 'Look at the account again, and decide upon what it says now.',
  },
  LAST_ADMINISTRATOR: { exit: 1, status: 409, todo: 'Make another account an administrator first.' },
  SESSION_UNKNOWN: { exit: 1, status: 404, todo: 'The session has ended already.' },
  TOKEN_UNKNOWN: { exit: 2, status: 404, todo: 'List tokens with `npx popshare token list`.' },
  SET_UP: {
    exit: 1,
    status: 403,
    todo: 'The server prints a link when it starts and there is no account; or `npx popshare user add`.',
  },
  REQUEST_INVALID: {
    exit: 1,
    status: 400,
    todo: 'Mend what `errors` names; /api/docs says what is expected.',
  },
  ROUTE_UNKNOWN: { exit: 1, status: 404, todo: '/api/docs lists the routes.' },
  RUN_UNKNOWN: { exit: 2, status: 404, todo: 'List runs with `npx popshare status` or GET /api/runs.' },
  PERSON_UNKNOWN: {
    exit: 1,
    status: 404,
    todo: 'There is no such person in your scope; POST /api/match finds persons.',
  },
  PRECONDITION_REQUIRED: {
    exit: 1,
    status: 428,
    todo: 'Send the ETag that you have seen in the header If-Match.',
  },
  TOO_MANY_LOOKS: {
    exit: 1,
    status: 429,
    todo: 'Wait as long as Retry-After says; who needs many persons asks for a list, with a supervisor.',
  },
  SECRET_KEY: {
    exit: 2,
    status: 503,
    todo: 'Set POPSHARE_SECRET_KEY as it was when the authenticators were set up; where it is lost, `user reset NAME --authenticator`.',
  },
  PORT_IN_USE: { exit: 1, todo: 'Stop what listens there, or set another `server.port` in popshare.yaml.' },
  OUTPUT_FOLDER: { exit: 2, todo: 'Give --out a folder that can be made, and written to.' },
  OUTPUT_EXISTS: { exit: 2, todo: 'Choose another folder, or empty this one.' },
  READER_ROLE: {
    exit: 2,
    todo: 'As superuser: GRANT popshare_reader to the account of DATABASE_URL; docs/operations.md, Restore, has all roles.',
  },
} as const satisfies Record<string, { exit: 1 | 2; status?: number; todo: string }>;

export type ErrorCode = keyof typeof ERROR_REGISTRY;

/** A failure with a code of the registry. `message` says what and where; `todo` says what to do. */
export class PopshareError extends Error {
  readonly code: ErrorCode;

  /**
   * @param code a code of {@link ERROR_REGISTRY}
   * @param what one sentence: what happened, and where (file, line, delivery). Never personal data.
   */
  constructor(code: ErrorCode, what: string, options?: { cause?: unknown }) {
    super(what, options);
    this.name = 'PopshareError';
    this.code = code;
  }

  get exitCode(): 1 | 2 {
    return ERROR_REGISTRY[this.code].exit;
  }

  /** The HTTP status of the failure. */
  get status(): number {
    const entry = ERROR_REGISTRY[this.code];
    return 'status' in entry ? entry.status : 500;
  }

  get todo(): string {
    return ERROR_REGISTRY[this.code].todo;
  }
}
