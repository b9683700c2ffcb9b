import { pino } from 'pino';
import { z } from 'zod';
import { CONTRACTS } from '../schema/contracts/index.ts';
import { failureOf } from '../schema/failure.ts';

/** Keys under which a row, or a piece of one, would come. */
const ROW_KEYS = ['row', 'fields', 'values', 'evidence', 'detail', 'parameters'];

const levelSchema = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).catch('warn');

/**
 * The log of the house: one JSON object a line, on stderr, for whoever collects it. `LOG_LEVEL` says from which
 * level on; unset (or no level), `warn`, so that a command tells its story by itself and logs only what failed.
 * `info` adds runs, steps and deliveries as they end, `debug` steps as they begin.
 *
 * No personal data gets into it, in three ways: events carry ids, names of steps and counts alone; an error, which
 * goes under `err` beside a message, is written as a {@link failureOf}; and whatever comes under the name of a
 * personal field of a contract is struck out.
 */
export const log = pino(
  {
    level: levelSchema.parse(process.env['LOG_LEVEL']),
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: failureOf },
    redact: [...new Set([...ROW_KEYS, ...personalFields()])].flatMap((key) => [key, `*.${key}`]),
  },
  // Synchronous: a command that ends, or fails, loses no line.
  pino.destination({ dest: 2, sync: true }),
);

function personalFields(): string[] {
  return CONTRACTS.flatMap(({ fields }) => Object.entries(fields))
    .filter(([, { sensitivity }]) => sensitivity === 'personal' || sensitivity === 'sensitive')
    .map(([name]) => name);
}
