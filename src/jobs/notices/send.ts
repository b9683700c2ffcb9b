import { sql } from 'kysely';
import type { NoticeSettings } from '../../schema/configuration/notices.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { log } from '../log.ts';
import { reasonOf } from './delivery-failure.ts';
import { openMailer } from './mail.ts';
import { type Message, post } from './webhook.ts';

/** By what notices go out. */
export interface PostOffice {
  readonly warehouse: Warehouse;
  readonly settings: NoticeSettings;
  /** Usually process.env: the secrets. */
  readonly variables: NodeJS.ProcessEnv;
  readonly now: () => Date;
}

/** One way out: a webhook, or the mail server. */
interface Endpoint {
  /** As the outbox names it: `webhook <name>`, `smtp`. */
  readonly name: string;
  send(address: string, message: Message): Promise<void>;
}

/** Minutes to wait after so many attempts: 1, 2, 4 … 60. A notice is tried until it is through, or purged. */
const LONGEST_WAIT_MINUTES = 60;
/** So many notices of an endpoint at a time; the rest is sent a minute later. */
const NOTICES_A_TURN = 200;

/** Writes down where each new notice goes, by the configuration as it is now. */
export async function routeNotices({ warehouse, settings, now }: PostOffice): Promise<void> {
  const routes = [
    ...settings.webhooks.flatMap(({ name, events }) =>
      events.map((kind) => ({ kind, endpoint: `webhook ${name}`, address: '' })),
    ),
    ...Object.entries(settings.smtp?.to ?? {}).flatMap(([kind, addresses]) =>
      addresses.map((address) => ({ kind, endpoint: 'smtp', address })),
    ),
  ];
  await sql`
    WITH routed AS (
      UPDATE ops.notice SET routed_at = ${now()}::timestamptz WHERE notice_id IN (
        SELECT notice_id FROM ops.notice WHERE routed_at IS NULL FOR UPDATE SKIP LOCKED)
      RETURNING notice_id, kind, recipient)
    INSERT INTO ops.notice_dispatch (notice_id, endpoint, address, next_attempt_at)
    SELECT notice_id, endpoint, address, ${now()}::timestamptz
    FROM routed JOIN jsonb_to_recordset(${JSON.stringify(routes)}::jsonb) AS r (kind text, endpoint text, address text) USING (kind)
    UNION
    SELECT notice_id, 'smtp', recipient, ${now()}::timestamptz FROM routed
    WHERE recipient IS NOT NULL AND ${settings.smtp !== undefined}`.execute(warehouse.db);
}

/**
 * Sends what waits and whose time has come. The endpoints side by side: one that does not answer keeps no other
 * waiting. Several processes may do this at once: each notice is held by the one that sends it.
 */
export async function sendNotices(office: PostOffice): Promise<void> {
  await Promise.all(endpointsOf(office).map((endpoint) => sendThrough(office, endpoint)));
}

/** After a failure an endpoint has a rest until the next turn. */
async function sendThrough(office: PostOffice, endpoint: Endpoint): Promise<void> {
  for (let sent = 0; sent < NOTICES_A_TURN; sent++) {
    if ((await sendNext(office, endpoint)) !== 'sent') return;
  }
}

interface Waiting {
  readonly notice_id: number;
  readonly address: string;
  readonly attempts: number;
  readonly message_id: string;
  readonly kind: string;
  readonly title: string;
  readonly body: string;
  readonly payload: unknown;
  readonly created_at: Date;
}

/** The row is locked while its notice is under way: should this process die, another sends it. */
async function sendNext(
  { warehouse, now }: PostOffice,
  endpoint: Endpoint,
): Promise<'sent' | 'failed' | 'none'> {
  return warehouse.db.transaction().execute(async (tx) => {
    const { rows } = await sql<Waiting>`
      SELECT d.notice_id, d.address, d.attempts, n.message_id, n.kind, n.title, n.body, n.payload, n.created_at
      FROM ops.notice_dispatch d JOIN ops.notice n USING (notice_id)
      WHERE d.sent_at IS NULL AND d.endpoint = ${endpoint.name} AND d.next_attempt_at <= ${now()}
      ORDER BY d.next_attempt_at, d.notice_id, d.address LIMIT 1
      FOR UPDATE OF d SKIP LOCKED`.execute(tx);
    const waiting = rows[0];
    if (waiting === undefined) return 'none';
    const failure = await attempt(endpoint, waiting);
    const attempts = waiting.attempts + 1;
    const entry = { notice: waiting.notice_id, kind: waiting.kind, endpoint: endpoint.name, attempts };
    if (failure === null) log.info(entry, 'notice sent');
    else log.warn({ ...entry, reason: failure }, 'notice not sent: it is tried again');
    await sql`
      UPDATE ops.notice_dispatch SET attempts = ${attempts}, sent_at = ${failure === null ? now() : null}::timestamptz,
        last_error = ${failure}, next_attempt_at = ${nextAttempt(now(), attempts)}
      WHERE notice_id = ${waiting.notice_id} AND endpoint = ${endpoint.name} AND address = ${waiting.address}`.execute(
      tx,
    );
    return failure === null ? 'sent' : 'failed';
  });
}

function nextAttempt(now: Date, attempts: number): Date {
  return new Date(now.getTime() + Math.min(2 ** (attempts - 1), LONGEST_WAIT_MINUTES) * 60_000);
}

/** @returns what went wrong; null when it is through */
async function attempt(endpoint: Endpoint, waiting: Waiting): Promise<string | null> {
  const { message_id, kind, title, body, payload, created_at, address } = waiting;
  try {
    await endpoint.send(address, { id: message_id, kind, at: created_at, title, body, payload });
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function endpointsOf({ settings, variables, now }: PostOffice): Endpoint[] {
  const { webhooks, smtp } = settings;
  return [
    ...webhooks.map(
      (webhook): Endpoint => ({
        name: `webhook ${webhook.name}`,
        send: (_address, message) => post(webhook, variables, message, now()),
      }),
    ),
    ...(smtp === undefined
      ? []
      : [
          {
            name: 'smtp',
            async send(address: string, message: Message) {
              const mailer = openMailer(smtp, variables);
              await mailer.send(address, message).finally(() => mailer.close());
            },
          },
        ]),
  ];
}

/** How a notice went that was sent to try an endpoint. */
export interface Trial {
  readonly endpoint: string;
  readonly address: string;
  /** Null when it is through. */
  readonly error: string | null;
}

/**
 * Sends a notice that says that it is a test through every endpoint and to every address, past the outbox.
 *
 * @param more addresses beside those that the configuration names
 */
export async function tryEndpoints(
  office: PostOffice,
  message: Message,
  more: readonly string[],
): Promise<Trial[]> {
  const { smtp } = office.settings;
  const addresses = new Set([...Object.values(smtp?.to ?? {}).flat(), ...more]);
  const trials: Trial[] = [];
  for (const endpoint of endpointsOf(office)) {
    for (const address of endpoint.name === 'smtp' ? addresses : [''])
      trials.push({
        endpoint: endpoint.name,
        address,
        error: await endpoint.send(address, message).then(() => null, reasonOf),
      });
  }
  return trials;
}
