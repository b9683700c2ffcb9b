import { z } from 'zod';

/** A JSON Schema, as far as tests look into it. */
export interface Shape {
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly format?: string | undefined;
  readonly pattern?: string | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly items?: Shape | undefined;
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly anyOf?: readonly Shape[] | undefined;
  readonly oneOf?: readonly Shape[] | undefined;
}

const shape: z.ZodType<Shape> = z.lazy(() =>
  z.object({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    format: z.string().optional(),
    pattern: z.string().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    items: shape.optional(),
    properties: z.record(z.string(), shape).optional(),
    required: z.array(z.string()).optional(),
    anyOf: z.array(shape).optional(),
    oneOf: z.array(shape).optional(),
  }),
);

const operation = z.object({
  'x-access': z.string(),
  parameters: z
    .array(z.object({ name: z.string(), in: z.enum(['path', 'query', 'header', 'cookie']), schema: shape }))
    .default([]),
  requestBody: z.object({ content: z.record(z.string(), z.object({ schema: shape.optional() })) }).optional(),
});

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
type Method = Uppercase<(typeof METHODS)[number]>;

/** One operation of the API, as the OpenAPI document has it. */
export interface Operation {
  /** Such as `GET /api/anomalies/{id}`. */
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  readonly access: string;
  readonly parameters: z.output<typeof operation>['parameters'];
  /** The schema of a JSON body; null when it takes none. */
  readonly body: Shape | null;
}

/** All operations of an OpenAPI document, in its order. */
export function operationsOf(document: unknown): Operation[] {
  const { paths } = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(document);
  return Object.entries(paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => Object.hasOwn(methods, method)).map((method): Operation => {
      const found = operation.parse(methods[method]);
      const upper: Method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).parse(method.toUpperCase());
      return {
        name: `${upper} ${path}`,
        method: upper,
        path,
        access: found['x-access'],
        parameters: found.parameters,
        body: found.requestBody?.content['application/json']?.schema ?? null,
      };
    }),
  );
}
