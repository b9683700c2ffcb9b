import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { DueDates } from '../anomalies/queue/due-dates.ts';
import type { Rule } from '../anomalies/rule-file.ts';
import type { TrainedModel } from '../identity/model/weights.ts';
import type { NightQueue } from '../jobs/queue.ts';
import type { Environment } from '../schema/configuration/environment.ts';
import type { Configuration } from '../schema/configuration/load.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Queryable, Warehouse } from '../schema/warehouse/connect.ts';
import type { Access, Principal } from './access.ts';
import type { SealingKey } from './accounts/sealed.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. */
    access?: Access;
  }
  interface FastifyRequest {
    /** Null until authentication, and on public routes without a session. */
    principal: Principal | null;
  }
}

/** What routes work with. */
export interface ServerContext {
  readonly environment: Environment;
  readonly configuration: Configuration;
  readonly rules: readonly Rule[];
  readonly model: TrainedModel;
  readonly dueDates: DueDates;
  /** The jobs of nights: to look at, never to add to; the scheduler does. */
  readonly queue: NightQueue;
  /** Under which the secrets of authenticators are kept. */
  readonly sealing: SealingKey;
  /**
   * The warehouse with all rights: for accounts, for the engine (match, decisions, deliveries), never to read rows
   * for somebody.
   */
  readonly engine: Warehouse;
  /** Reads and works on cases under the scope of whoever asks: masked values. */
  inScope<Result>(request: FastifyRequest, work: (scoped: Queryable) => Promise<Result>): Promise<Result>;
  /** The same with the values themselves: whoever calls it records the act in the same transaction. */
  inExport<Result>(request: FastifyRequest, work: (scoped: Queryable) => Promise<Result>): Promise<Result>;
}

/** Fastify, with requests and responses typed by their zod schemas. */
export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/**
 * Whoever a request comes from.
 *
 * @throws UNAUTHENTICATED
 */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new PopshareError('UNAUTHENTICATED', 'the request names nobody');
  return request.principal;
}
