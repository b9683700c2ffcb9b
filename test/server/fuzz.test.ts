import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Role } from '../../src/server/access.ts';
import { type Client, useApi } from './api.ts';
import { type Operation, operationsOf, type Shape } from './openapi-operations.ts';

const api = useApi();
const ROLES: readonly Role[] = ['supervisor', 'operator', 'administrator', 'auditor', 'department'];
/** Each operation, as each role. */
const RUNS = 25;

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    '\0',
    "'; DROP TABLE ops.run; --",
    '9'.repeat(400),
    '-1',
    'null',
    '../../etc/passwd',
    '王\ud800',
  ),
);

/** Values that a schema allows, and now and then one that it does not. */
function anyOf(shape: Shape): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 6, arbitrary: sound(shape) },
    { weight: 1, arbitrary: fc.oneof(nasty, fc.jsonValue()) },
  );
}

function sound(shape: Shape): fc.Arbitrary<unknown> {
  if (shape.const !== undefined) return fc.constant(shape.const);
  if (shape.enum !== undefined) return fc.constantFrom(...shape.enum);
  const options = shape.anyOf ?? shape.oneOf;
  if (options !== undefined) return fc.oneof(...options.map(anyOf));
  const type = Array.isArray(shape.type) ? shape.type[0] : shape.type;
  switch (type) {
    case 'integer':
    case 'number':
      return fc.integer({
        min: Math.max(shape.minimum ?? 0, -1000),
        max: Math.min(shape.maximum ?? 100_000, 100_000),
      });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(anyOf(shape.items ?? {}), { maxLength: 4 });
    case 'object':
      return fc.record(
        Object.fromEntries(
          Object.entries(shape.properties ?? {}).map(([name, inner]) => [name, anyOf(inner)]),
        ),
        { requiredKeys: [...(shape.required ?? [])] },
      );
    default:
      if (shape.format === 'date') return fc.constantFrom('2026-11-18', '1900-02-29', '2026-11-20');
      return fc.oneof(
        nasty,
        fc.constantFrom('620802', '620802001001', 'DQ01', 'housing_lease', 'housing', '1'),
      );
  }
}

const callOf = ({ path, parameters, body }: Operation) =>
  fc.record({
    url: fc
      .record(
        Object.fromEntries(
          parameters.map(({ name, in: place, schema }) => [`${place} ${name}`, anyOf(schema)]),
        ),
      )
      .map((values) => urlOf(path, values)),
    headers: fc.record(
      Object.fromEntries(
        parameters
          .filter((parameter) => parameter.in === 'header')
          .map(({ name, schema }) => [name, anyOf(schema).map(headerOf)]),
      ),
    ),
    body: body === null ? fc.constant(undefined) : anyOf(body),
  });

function textOf(value: unknown): string {
  const plain = typeof value === 'string' ? value : JSON.stringify(value);
  return plain.toWellFormed().slice(0, 300);
}

/** A header takes no other characters. */
const headerOf = (value: unknown): string => encodeURIComponent(textOf(value)).slice(0, 300);

function urlOf(path: string, values: Readonly<Record<string, unknown>>): string {
  const text = (value: unknown): string => encodeURIComponent(textOf(value));
  const filled = path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => text(values[`path ${name}`] ?? 'none') || 'none',
  );
  const query = Object.entries(values)
    .filter(([name]) => name.startsWith('query '))
    .map(([name, value]) => `${name.slice(6)}=${text(value)}`);
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
}

test.each(ROLES)(
  'whatever a %s sends to whatever route, the server does not fail',
  async (role) => {
    const department = role === 'department' ? 'housing' : null;
    for (const operation of operationsOf((await api.nobody().get('/api/openapi.json')).body)) {
      // Each with a session of its own: one of the routes ends it.
      const client: Client = await api.as({ role, department });
      await fc.assert(
        fc.asyncProperty(callOf(operation), async ({ url, headers: given, body }) => {
          const headers = { ...given, 'if-match': '"1"' };
          const answer = await client.request(operation.method, url, {
            headers,
            ...(body !== undefined && { body }),
          });
          expect(
            answer.status,
            `${operation.name} ${url} ${JSON.stringify(body)}: ${answer.text}`,
          ).toBeLessThan(500);
        }),
        { numRuns: RUNS },
      );
    }
  },
  180_000,
);
