import type { FastifyRequest } from 'fastify';
import { type Kysely, sql, type Transaction } from 'kysely';
import { raiseBulkLookUps } from '../jobs/notices/outbox.ts';
import type { DB } from '../schema/database.ts';
import { PopshareError } from '../schema/errors.ts';
import { type AuditedAct, recordAct } from '../schema/warehouse/audit.ts';
import { principalOf, type ServerContext } from './context.ts';

const MINUTES = 10;

/** Somebody looks at more persons than their work explains. */
export class TooManyLooksError extends PopshareError {
  /** Until they may look again. */
  readonly seconds: number;

  constructor(until: Date, most: number) {
    super('TOO_MANY_LOOKS', `more than ${most} look-ups in ${MINUTES} minutes`);
    this.seconds = Math.max(1, Math.ceil((until.getTime() - Date.now()) / 1000));
  }
}

/** What was looked up, and how the log names it. */
export interface LookUp<Result> {
  readonly result: Result;
  /** Null when nothing was shown after all. */
  readonly act: Omit<AuditedAct, 'actor'> | null;
}

/**
 * Looks a person up for somebody: what they see and the entry that says so are one transaction.
 *
 * Whoever has had `server.looks_per_10_minutes` look-ups gets no more. The log itself is counted, after the entry is in
 * it: entries are written one at a time, so the limit is exact however many servers there are.
 *
 * @param values `masked`, or `plain` where the value itself is shown
 * @throws TOO_MANY_LOOKS (a {@link TooManyLooksError}); an alert is in the log then, and a notice out, once in ten minutes
 */
export async function lookUp<Result>(
  context: ServerContext,
  request: FastifyRequest,
  values: 'masked' | 'plain',
  work: (tx: Transaction<DB>) => Promise<LookUp<Result>>,
): Promise<Result> {
  const { name } = principalOf(request);
  const most = context.configuration.settings.server.looks_per_10_minutes;
  const within = values === 'plain' ? context.inExport : context.inScope;
  try {
    return await within(request, ({ db }) =>
      db.transaction().execute(async (tx) => {
        await requireFewer(tx, most - 1, most);
        const { result, act } = await work(tx);
        if (act !== null) {
          await recordAct(tx, { ...act, actor: name });
          await requireFewer(tx, most, most);
        }
        return result;
      }),
    );
  } catch (error) {
    if (error instanceof TooManyLooksError) await raiseAlert(context, name, most);
    throw error;
  }
}

/** @throws TOO_MANY_LOOKS when there are more than `already` look-ups */
async function requireFewer(db: Kysely<DB>, already: number, most: number): Promise<void> {
  const { rows } = await sql<{
    until: Date | null;
  }>`SELECT access.looks_end(${already}::integer) AS until`.execute(db);
  const until = rows[0]?.until ?? null;
  if (until !== null) throw new TooManyLooksError(until, most);
}

/** Counted after it is written, as look-ups are: of several at the same time one stays. */
async function raiseAlert({ engine }: ServerContext, account: string, most: number): Promise<void> {
  const subject = `look-ups of ${account}`;
  const told = await sql<{ alerts: number }>`SELECT access.alerts(${subject}) AS alerts`.execute(engine.db);
  if ((told.rows[0]?.alerts ?? 0) > 0) return;
  await engine.db
    .transaction()
    .execute(async (tx) => {
      await raiseBulkLookUps(tx, { account, looks: most, minutes: MINUTES }, new Date());
      const detail = { look_ups: most, minutes: MINUTES };
      await recordAct(tx, { actor: account, action: 'alert', subject, detail });
      const { rows } = await sql<{ alerts: number }>`SELECT access.alerts(${subject}) AS alerts`.execute(tx);
      if ((rows[0]?.alerts ?? 0) > 1) throw new ToldBefore();
    })
    .catch((error: unknown) => {
      if (!(error instanceof ToldBefore)) throw error;
    });
}

/** Rolls an alert back. */
class ToldBefore extends Error {}
