import { schedule } from 'node-cron';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { log } from '../log.ts';
import { type DigestDesk, findDigests } from './digest.ts';
import { findNights } from './find-nights.ts';
import { routeNotices, sendNotices } from './send.ts';

/** What notices are found and sent with. */
export interface NoticeDesk extends DigestDesk {
  readonly warehouse: Warehouse;
  /** Usually process.env: the secrets. */
  readonly variables: NodeJS.ProcessEnv;
}

/**
 * Finds what is to be told, and sends what waits, each minute until it is stopped. Apart from the nights: while one
 * runs, notices go out. What fails is told in the log; the next minute comes.
 */
export function startNotices(desk: NoticeDesk): () => Promise<void> {
  let atWork: Promise<void> | null = null;
  const look = (): void => {
    atWork ??= tellNotices(desk, () => new Date())
      .catch((error) => log.error({ err: error }, 'notices could not be found or sent'))
      .finally(() => {
        atWork = null;
      });
  };
  const task = schedule('* * * * *', look, { suppressMissedWarning: true });
  look();
  return async () => {
    await task.destroy();
    await atWork;
  };
}

/**
 * Finds what is to be told and sends what waits, once.
 *
 * @param now the clock
 */
export async function tellNotices(desk: NoticeDesk, now: () => Date): Promise<void> {
  const { warehouse, configuration, variables } = desk;
  await warehouse.db.transaction().execute(async (tx) => {
    await findNights(tx, configuration, now());
    await findDigests(tx, desk, now());
  });
  const office = { warehouse, settings: configuration.settings.notices, variables, now };
  await routeNotices(office);
  await sendNotices(office);
}
