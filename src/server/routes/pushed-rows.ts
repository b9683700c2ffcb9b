import { Readable } from 'node:stream';
import { z } from 'zod';
import { MOST_BYTES, receivePush } from '../../ingest/push/receive.ts';
import type { Binding } from '../../schema/configuration/binding.ts';
import { PopshareError } from '../../schema/errors.ts';
import type { Principal } from '../access.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { moment } from '../schemas.ts';

const JSON_TYPE = 'application/json';
const LINES_TYPES = ['application/x-ndjson', 'application/ndjson'];

/** The document shows an array; the body goes to the disk before anybody reads it. */
const rowsBody = z.instanceof(Readable).meta({
  type: 'array',
  minItems: 1,
  items: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
});

const receipt = z
  .object({
    push_id: z.int(),
    feed: z.string(),
    rows: z.int(),
    sha256: z.string().describe('of the body as it came'),
    received_at: moment,
  })
  .meta({ id: 'Push' });

/** `/api/feeds/{feed}/rows`: rows as a department's system has them, instead of a file or beside it. */
export function addPushedRowRoutes(server: Server, context: ServerContext): void {
  // Of their own: elsewhere a body of JSON is read before the route has it.
  server.register(async (scope: Server) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser([JSON_TYPE, ...LINES_TYPES], (_request, payload, done) => done(null, payload));
    scope.post(
      '/api/feeds/:feed/rows',
      {
        config: { access: 'push rows' },
        schema: {
          tags: ['feeds'],
          summary: 'Takes rows of an incremental feed; the next night judges them, as it does files. Logged',
          description: `A JSON array of objects (at most ${MOST_BYTES.array} bytes) or NDJSON (at most ${MOST_BYTES.lines}), keys as the binding names the source's columns. All of it is taken, or nothing. The same Idempotency-Key with the same body is taken once, and answered the same each time.`,
          consumes: [JSON_TYPE, ...LINES_TYPES],
          params: z.object({ feed: z.string().max(100) }),
          headers: z.object({
            'idempotency-key': z
              .string()
              .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 visible ASCII characters')
              .describe('by which you know this push again; a new one for each push, the same to repeat it'),
          }),
          body: rowsBody,
          response: { 202: receipt, ...PROBLEMS },
        },
      },
      async (request, reply) => {
        const principal = principalOf(request);
        const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
        // Whoever sends too much need not send the rest.
        reply.header('connection', 'close');
        const taken = await receivePush(context.engine, context.environment.dataFolder, {
          binding: bindingOf(context, principal, request.params.feed),
          key: request.headers['idempotency-key'],
          form: type === JSON_TYPE ? 'array' : 'lines',
          body: request.body,
          by: principal.name,
        });
        reply.removeHeader('connection');
        return reply.code(202).send(taken);
      },
    );
  });
}

/** @throws FEED_UNKNOWN also for a feed of another department */
function bindingOf({ configuration }: ServerContext, { department }: Principal, feed: string): Binding {
  const binding = configuration.bindings.find((candidate) => candidate.feed === feed);
  if (binding === undefined || binding.contract.department !== department)
    throw new PopshareError('FEED_UNKNOWN', 'your department has no such feed');
  return binding;
}
