import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import packageFile from '../../package.json' with { type: 'json' };
import { SESSION_COOKIE } from './authentication.ts';
import type { Server } from './context.ts';
import { DOCUMENT_PAGES } from './pages-of-libraries.ts';

/** The document at /api/openapi.json, and pages to read it at /api/docs. It says of each route who may call it. */
export async function addOpenApi(server: Server): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'popshare 人口信息共享',
        description:
          'Who may call a route stands in its `x-access`; failures are problem details (RFC 9457).',
        version: packageFile.version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
          token: { type: 'http', scheme: 'bearer' },
        },
      },
    },
    transform: (route) => {
      const { schema, url } = jsonSchemaTransform(route);
      const access = route.route.config?.access ?? 'public';
      const security = access === 'public' ? [] : [{ session: [] }, { token: [] }];
      return { schema: { ...schema, security, 'x-access': access }, url };
    },
    transformObject: jsonSchemaTransformObject,
  });
  server.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () =>
    server.swagger(),
  );
  await server.register(swaggerUi, { routePrefix: DOCUMENT_PAGES });
}
