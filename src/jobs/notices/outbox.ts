import { type Kysely, sql } from 'kysely';
import type { NoticeKind } from '../../schema/configuration/notices.ts';
import type { DB } from '../../schema/database.ts';

/** Something that people outside of popshare are told: counts, names of feeds and rules, and no personal data. */
export interface Notice {
  readonly kind: NoticeKind;
  /** What it is about, so that it is told once: `night failed, run 12`. */
  readonly subject: string;
  /** One line. */
  readonly title: string;
  readonly body: string;
  /** The same for machines. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** The address of the one officer that it is for; the configuration tells where other notices go. */
  readonly recipient?: string;
}

/**
 * Puts a notice into the outbox, unless one with its subject is there. In a transaction it is told when that commits,
 * and only then; a scheduler sends it within a minute.
 *
 * @param now when it is told
 * @returns whether it is new
 */
export async function raiseNotice(db: Kysely<DB>, notice: Notice, now: Date): Promise<boolean> {
  const { numAffectedRows } = await sql`
    INSERT INTO ops.notice (kind, subject, title, body, payload, recipient, created_at)
    VALUES (${notice.kind}, ${notice.subject}, ${notice.title}, ${notice.body}, ${JSON.stringify(notice.payload)}::jsonb,
            ${notice.recipient ?? null}, ${now})
    ON CONFLICT (subject) DO NOTHING`.execute(db);
  return numAffectedRows === 1n;
}

/**
 * Tells that an account looks at more persons than its work explains. Of one account once an hour.
 *
 * @param given.account the account's name
 * @param given.looks how many persons it looked at
 * @param given.minutes within how many minutes
 * @returns whether it is new
 */
export async function raiseBulkLookUps(
  db: Kysely<DB>,
  given: { readonly account: string; readonly looks: number; readonly minutes: number },
  now: Date,
): Promise<boolean> {
  const { account, looks, minutes } = given;
  return raiseNotice(
    db,
    {
      kind: 'bulk_look_ups',
      subject: `bulk look-ups, ${account}, ${now.toISOString().slice(0, 13)}`,
      title: `批量查询：账号 ${account}`,
      body: [
        `账号 ${account} 在 ${minutes} 分钟内查询了 ${looks} 人，超过限额。`,
        `查看经过：npx popshare audit list --actor ${account}`,
      ].join('\n'),
      payload: { account, looks, minutes },
    },
    now,
  );
}
