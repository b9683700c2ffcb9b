import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { log } from '../jobs/log.ts';
import { sealingKey } from './accounts/sealed.ts';
import { addAuthentication } from './authentication.ts';
import type { Server, ServerContext } from './context.ts';
import { addJobBoard } from './job-board.ts';
import { addOpenApi } from './openapi.ts';
import { addProblems } from './problems.ts';
import { addRoutes } from './routes/index.ts';
import { openScoped } from './scope.ts';

/** Requests are small; files of answers, the largest of them, have thousands of lines. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Two cores do not work faster for more. */
const CONNECTIONS = { app: 12, export: 4 } as const;

/** What a server is made from; the caller keeps and closes the warehouse. */
export type ServerOptions = Omit<ServerContext, 'sealing' | 'inScope' | 'inExport'>;

/**
 * The HTTP API, ready to listen or to be asked by `inject`.
 *
 * @throws SECRET_KEY; nothing that a request brings about: every failure is a problem
 */
export async function buildServer(options: ServerOptions): Promise<Server> {
  const app = openScoped(options.engine.url, 'popshare_app', CONNECTIONS.app);
  const exporting = openScoped(options.engine.url, 'popshare_export', CONNECTIONS.export);
  const context: ServerContext = {
    ...options,
    sealing: sealingKey(options.environment),
    inScope: (request, work) => app.as(request.principal?.token ?? '', work),
    inExport: (request, work) => exporting.as(request.principal?.token ?? '', work),
  };
  const server: Server = Fastify({
    bodyLimit: MOST_BYTES,
    // A proxy in front says who asks; its own address is not worth logging.
    trustProxy: options.environment.proxy,
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true },
  }).withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.addHook('onClose', async () => {
    await Promise.all([app.close(), exporting.close()]);
  });
  addProblems(server);
  addRequestLog(server);
  await server.register(helmet);
  await server.register(cookie);
  addAuthentication(server, options.engine, options.configuration.settings.server.session);
  await addOpenApi(server);
  addRoutes(server, context);
  await addJobBoard(server, context);
  await server.ready();
  return server;
}

/** One line a request: the route, not its address, which may hold what somebody looks for. */
function addRequestLog(server: Server): void {
  server.addHook('onResponse', async (request, reply) => {
    log.info(
      {
        request: request.id,
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
        principal: request.principal === null ? null : `${request.principal.kind} ${request.principal.id}`,
      },
      'request',
    );
  });
}
