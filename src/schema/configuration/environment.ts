import path from 'node:path';
import { z } from 'zod';

const environmentSchema = z.object({
  DATABASE_URL: z.string().optional(),
  REDIS_URL: z.string().optional(),
  POPSHARE_CONFIG: z.string().default('config'),
  POPSHARE_DATA: z.string().default('.popshare'),
  POPSHARE_DROP: z.string().optional(),
  POPSHARE_HOST: z.string().optional(),
  POPSHARE_SECRET_KEY: z.string().optional(),
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
  /** Under which the server keeps secrets that it must have itself: 32 bytes in base 64. */
  readonly secretKey: string | undefined;
}

/** @param variables usually process.env */
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
  };
}
