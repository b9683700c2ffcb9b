import { Redis } from 'ioredis';
import { type Check, ok, problem, warning } from './check.ts';

/** Looks at the queue's server: whether it answers, and whether it may forget jobs. */
export async function checkRedis(url: string): Promise<Check[]> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    const found = ok(
      'redis',
      `answers, ${/redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? ''}`,
    );
    const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1];
    return policy === 'noeviction'
      ? [found]
      : [
          found,
          warning('redis memory', `maxmemory-policy ${policy}`, 'CONFIG SET maxmemory-policy noeviction'),
        ];
  } catch {
    return [
      problem('redis', 'does not answer', 'Check REDIS_URL; without it the queue is in the warehouse.'),
    ];
  } finally {
    redis.disconnect();
  }
}
