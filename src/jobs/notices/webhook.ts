import { createHmac } from 'node:crypto';
import type { Webhook } from '../../schema/configuration/notices.ts';
import { NoticeFailure } from './delivery-failure.ts';

/** A notice on its way. */
export interface Message {
  /** The same for each attempt, and for no other notice of any installation. */
  readonly id: string;
  readonly kind: string;
  readonly at: Date;
  readonly title: string;
  readonly body: string;
  readonly payload: unknown;
}

export const ATTEMPT_MILLISECONDS = 10_000;
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const SHORTEST_SECRET_BYTES = 24;

/**
 * Posts a notice as JSON, signed as Standard Webhooks 1.0 says: HMAC-SHA256 over id, timestamp and body, with the
 * secret that the environment has under `secret_env`. Redirections are not followed.
 *
 * @param now the time of the attempt, which the signature covers: a receiver refuses what is minutes old
 * @throws NoticeFailure, and what fetch throws
 */
export async function post(
  webhook: Webhook,
  variables: NodeJS.ProcessEnv,
  message: Message,
  now: Date,
): Promise<void> {
  const key = secretOf(webhook, variables);
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const { id, kind, at, title, body, payload } = message;
  const text = JSON.stringify({
    type: kind,
    timestamp: at.toISOString(),
    data: { title, text: body, ...asObject(payload) },
  });
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${text}`).digest('base64');
  const response = await fetch(webhook.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body: text,
    redirect: 'manual',
    signal: AbortSignal.timeout(ATTEMPT_MILLISECONDS),
  });
  // Nothing of the answer is read.
  await response.body?.cancel();
  if (!response.ok) throw new NoticeFailure(`HTTP ${response.status}`);
}

/**
 * The key of a webhook's secret.
 *
 * @throws NoticeFailure naming the variable, when it is not set or is no secret
 */
export function secretOf({ secret_env }: Webhook, variables: NodeJS.ProcessEnv): Buffer {
  const given = variables[secret_env] ?? '';
  if (given === '') throw new NoticeFailure(`the environment variable ${secret_env} is not set`);
  const key = Buffer.from(SECRET.exec(given)?.[1] ?? '', 'base64');
  if (key.length < SHORTEST_SECRET_BYTES)
    throw new NoticeFailure(
      `the environment variable ${secret_env} is no secret: expected whsec_ and at least ${SHORTEST_SECRET_BYTES} bytes in base64`,
    );
  return key;
}

function asObject(payload: unknown): object {
  return typeof payload === 'object' && payload !== null ? payload : {};
}
