import { Redis } from 'ioredis';

/** Address of one database of the test server of Redis; undefined when there is no server. */
export function redisDatabase(database: number): string | undefined {
  const server = process.env['TEST_REDIS_URL'];
  return server === undefined ? undefined : new URL(`/${database}`, server).href;
}

/** Loses everything that is in the database. */
export async function flush(url: string | undefined): Promise<void> {
  if (url === undefined) return;
  const redis = new Redis(url);
  await redis.flushdb();
  await redis.quit();
}

/** Both back ends, for `describe.each`. */
export const backends = (
  url: string | undefined,
): { backend: string; url: string | undefined; isThere: boolean }[] => [
  { backend: 'Postgres', url: undefined, isThere: true },
  { backend: 'Redis (needs TEST_REDIS_URL, which .ci/run sets)', url, isThere: url !== undefined },
];
