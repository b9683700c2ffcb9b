import { isIP } from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { PopshareError } from '../errors.ts';

const environmentSchema = z.object({
  DATABASE_URL: z.string().optional(),
  REDIS_URL: z.string().optional(),
  POPSHARE_CONFIG: z.string().default('config'),
  POPSHARE_DATA: z.string().default('.popshare'),
  POPSHARE_DROP: z.string().optional(),
  POPSHARE_HOST: z.string().optional(),
  POPSHARE_SECRET_KEY: z.string().optional(),
  POPSHARE_PROXY: z.string().default('loopback'),
});

/** What the environment says (INTERFACE.md); an empty variable counts as unset. Paths are absolute. */
export interface Environment {
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly configFolder: string;
  readonly dataFolder: string;
  readonly dropFolder: string | undefined;
  /** Where the server listens, instead of `server.host`: in a container, on all addresses. */
  readonly host: string | undefined;
  /** Whose word on the address of a client is taken: networks of proxies, as fastify's `trustProxy` reads them. */
  readonly proxy: string[];
  /** Under which the server keeps secrets that it must have itself: 32 bytes in base 64. */
  readonly secretKey: string | undefined;
}

/**
 * @param variables usually process.env
 * @throws CONFIG_INVALID
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.parse(given);
  return {
    databaseUrl: parsed.DATABASE_URL,
    redisUrl: parsed.REDIS_URL,
    configFolder: path.resolve(parsed.POPSHARE_CONFIG),
    dataFolder: path.resolve(parsed.POPSHARE_DATA),
    dropFolder: parsed.POPSHARE_DROP === undefined ? undefined : path.resolve(parsed.POPSHARE_DROP),
    host: parsed.POPSHARE_HOST,
    secretKey: parsed.POPSHARE_SECRET_KEY,
    proxy: networksOf(parsed.POPSHARE_PROXY),
  };
}

const NAMED_NETWORKS = ['loopback', 'linklocal', 'uniquelocal'];

/** @throws CONFIG_INVALID */
function networksOf(given: string): string[] {
  const networks = given.split(',').map((network) => network.trim());
  for (const network of networks)
    if (!NAMED_NETWORKS.includes(network) && !isNetwork(network))
      throw new PopshareError(
        'CONFIG_INVALID',
        `POPSHARE_PROXY: expected addresses, networks such as 172.16.0.0/12, or ${NAMED_NETWORKS.join(', ')}`,
      );
  return networks;
}

function isNetwork(given: string): boolean {
  const [address = '', bits, ...more] = given.split('/');
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return (
    most > 0 && more.length === 0 && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most))
  );
}
