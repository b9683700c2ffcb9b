import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CaseChangedError } from '../anomalies/queue/actions.ts';
import { log } from '../jobs/log.ts';
import { PopshareError } from '../schema/errors.ts';
import { failureOf, messageWithoutValues } from '../schema/failure.ts';
import { LockedError } from './accounts/credentials.ts';
import type { Server } from './context.ts';
import { TooManyLooksError } from './look-ups.ts';

/** RFC 9457, problem details, with the code of the registry and what to do. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    todo: z.string(),
    /** What of a request was not as expected. */
    errors: z.array(z.object({ at: z.string(), message: z.string() })).optional(),
    /** Of CASE_CHANGED: what happened since the version that was seen. */
    since: z.array(z.unknown()).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details; `code` is of docs/errors.md' });

type Problem = z.output<typeof problemSchema>;

/** The failures that a route may answer with, for its `response` schemas. */
export const PROBLEMS = { '4xx': problemSchema, '5xx': problemSchema } as const;

/** Every failure leaves as a problem; what is not the caller's is logged, and told without its values. */
export function addProblems(server: Server): void {
  server.setErrorHandler((error, request, reply) => answerProblem(error, request, reply));
  server.setNotFoundHandler((request, reply) =>
    answerProblem(new PopshareError('ROUTE_UNKNOWN', `there is no ${request.method} here`), request, reply),
  );
}

/** Answers a request with the problem that its failure is. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error, request);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (error instanceof LockedError) reply.header('retry-after', error.retryAfter);
  if (error instanceof TooManyLooksError) reply.header('retry-after', error.seconds);
  // As text: the schemas of the route speak of its own answers.
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** A failure as a problem; one that is not the caller's is logged under the id of its request. */
function problemOf(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof CaseChangedError) return { ...known(error), since: [...error.since] };
  if (error instanceof PopshareError) {
    if (error.status >= 500) tell(error, request);
    return known(error);
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      at: `${error.validationContext ?? 'request'}${instancePath}`,
      message: message ?? 'not as expected',
    }));
    return { ...known(new PopshareError('REQUEST_INVALID', 'the request is not as expected')), errors };
  }
  if (leavesScope(error))
    return known(
      new PopshareError('FORBIDDEN', 'this would take something out of your scope, or is outside of it'),
    );
  // A value that its schema let through and the warehouse cannot read (a NUL in a text): SQLSTATE class 22.
  if (failureOf(error).sqlstate?.startsWith('22'))
    return known(new PopshareError('REQUEST_INVALID', 'the warehouse cannot read a value of the request'));
  const status = statusOf(error);
  if (status >= 400 && status < 500)
    return { ...known(new PopshareError('REQUEST_INVALID', messageWithoutValues(error))), status };
  tell(error, request);
  return {
    type: 'about:blank',
    title: 'UNEXPECTED',
    status: 500,
    detail: 'the server failed; its log says why',
    code: 'UNEXPECTED',
    todo: `Tell the operator the request's id, ${request.id}.`,
  };
}

function known(error: PopshareError): Problem {
  return {
    type: `urn:popshare:error:${error.code}`,
    title: error.code,
    status: error.status,
    detail: messageWithoutValues(error),
    code: error.code,
    todo: error.todo,
  };
}

/** Whether row-level security refused a row that was to be written (insufficient_privilege, from that check alone). */
function leavesScope(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === '42501' &&
    'routine' in error &&
    error.routine === 'ExecWithCheckOptions'
  );
}

/** Fastify's own failures (too large a body, no JSON) say their status. */
function statusOf(error: unknown): number {
  return error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
}

function tell(error: unknown, request: FastifyRequest): void {
  log.error({ request: request.id, route: request.routeOptions.url, err: error }, 'request failed');
}
