import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import { identityFieldsSchema } from '../../identity/identity-fields.ts';
import { type Candidate, type Match, matchPerson } from '../../identity/match.ts';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { lookUp } from '../look-ups.ts';
import { PROBLEMS } from '../problems.ts';
import { purpose, weightPart, wirePart } from '../schemas.ts';

const text = z.string().trim().min(1).max(1000);
const division = z.string().regex(/^\d{12}$/);

const fieldsBody = z.strictObject({
  id_number: text.optional(),
  name: text.optional(),
  sex: z.enum(['1', '2']).optional().describe('GB/T 2261.1: 1 male, 2 female'),
  birth_date: z
    .string()
    .regex(/^\d{4}-?\d\d-?\d\d$/)
    .optional(),
  phone: text.optional(),
  division: division.optional().describe('where they live'),
  registered_division: division.optional(),
  address: text.optional(),
  dwelling_code: text.optional(),
  purpose,
});

const candidate = z
  .union([
    z.object({
      in_scope: z.literal(true),
      person_id: z.int(),
      method: z.enum(['number', 'model']),
      weight: z.number().nullable().describe('in bits; null where the number says it'),
      probability: z.number().nullable(),
      explanation: z.array(weightPart),
    }),
    z.object({ in_scope: z.literal(false), note: z.literal('outside your scope') }),
  ])
  .nullable();

/** `/api/match`: the person for one set of identity fields. */
export function addMatchRoutes(server: Server, context: ServerContext): void {
  server.post(
    '/api/match',
    {
      config: { access: 'match' },
      schema: {
        tags: ['persons'],
        summary: 'Finds the person for one set of identity fields. Logged, and limited in number',
        description:
          'A department’s system gets persons with records of its own alone; of others it hears nothing.',
        body: fieldsBody,
        response: {
          200: z.object({
            outcome: z
              .enum(['found', 'doubtful', 'none'])
              .describe('doubtful: it may be the best candidate, and a human must look'),
            best: candidate,
            second: candidate,
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const { purpose: why, ...given } = request.body;
      const fields = readFields(given);
      const ofDepartment = principalOf(request).role === 'department';
      reply.header('cache-control', 'no-store');
      return lookUp(context, request, 'masked', async (tx) => {
        const match = await matchPerson(context.engine, context.model, fields);
        const best = match.best === null ? null : await wire(tx, match.best);
        const second = match.second === null ? null : await wire(tx, match.second);
        const told = { outcome: match.outcome, best, second };
        return {
          result: ofDepartment ? ownAlone(told) : told,
          act: {
            action: 'match',
            subject: match.best === null ? undefined : `person ${match.best.personId}`,
            purpose: why,
            detail: { fields: Object.keys(given), outcome: match.outcome },
          },
        };
      });
    },
  );
}

type Told = {
  outcome: Match['outcome'];
  best: z.output<typeof candidate>;
  second: z.output<typeof candidate>;
};

/** Of a person without a record of the department, not even that there is one. */
function ownAlone({ outcome, best, second }: Told): Told {
  if (best?.in_scope !== true) return { outcome: 'none', best: null, second: null };
  return { outcome, best, second: second?.in_scope === true ? second : null };
}

async function wire(db: Kysely<DB>, found: Candidate): Promise<z.output<typeof candidate>> {
  const { rows } = await sql<{
    seen: boolean;
  }>`SELECT access.may_match(${found.personId}::bigint) AS seen`.execute(db);
  if (rows[0]?.seen !== true) return { in_scope: false, note: 'outside your scope' };
  const { personId, method, weight, probability, explanation } = found;
  return {
    in_scope: true,
    person_id: personId,
    method,
    weight,
    probability,
    explanation: explanation.map(wirePart),
  };
}

/** @throws REQUEST_INVALID */
function readFields(given: Omit<z.output<typeof fieldsBody>, 'purpose'>) {
  const fields = identityFieldsSchema.safeParse(
    Object.fromEntries(
      Object.entries({
        idNumber: given.id_number,
        name: given.name,
        sex: given.sex,
        birthDate: given.birth_date,
        phone: given.phone,
        division: given.division,
        registeredDivision: given.registered_division,
        address: given.address,
        dwellingCode: given.dwelling_code,
      }).filter(([, value]) => value !== undefined),
    ),
  );
  if (!fields.success) throw new PopshareError('REQUEST_INVALID', 'birth_date is no date of the calendar');
  if (Object.keys(fields.data).length === 0)
    throw new PopshareError('REQUEST_INVALID', 'give at least one identity field');
  return fields.data;
}
