import { z } from 'zod';
import { PopshareError } from '../../schema/errors.ts';
import type { Server, ServerContext } from '../context.ts';
import { lookUp } from '../look-ups.ts';
import { readCases, readLife, readProfile, successorOf } from '../persons/profile.ts';
import { readRecords } from '../persons/records.ts';
import { MASKED_VALUES, readValue } from '../persons/unmask.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, moment, purpose } from '../schemas.ts';

const words = z.object({ zh: z.string(), en: z.string() });
const text = z.string().nullable();

const profile = z.object({
  person_id: z.int(),
  id_number: text,
  name: text,
  sex: text,
  birth_date: text.describe('the year alone'),
  death_date: text,
  phone: text,
  marital_status: text,
  registered_division: text,
  registered_address: text,
  household_code: text,
  is_local: z.boolean(),
  source: z.string().describe('the feed of the values that `other_sources` does not name'),
  other_sources: z.record(z.string(), z.string()).nullable().describe('attribute: feed'),
  disagreements: z
    .array(z.object({ attribute: z.string(), value: z.string(), feeds: z.array(z.string()) }))
    .readonly()
    .describe('what other feeds say'),
});

const record = z.object({
  feed: z.string(),
  title: words,
  department: z.string(),
  source_key: z.string(),
  active: z.boolean(),
  roles: z
    .array(
      z.object({
        role: z.string(),
        label: words,
        method: z.string(),
        weight: z.number().nullable(),
        linked_at: moment,
      }),
    )
    .readonly(),
  valid_from: text,
  fields: z
    .array(
      z.object({
        field: z.string(),
        label: words,
        value: text,
        masked: z.boolean().describe('whether POST …/unmask shows it'),
      }),
    )
    .readonly(),
});

const life = z.object({
  residences: z
    .array(
      z.object({
        since: z.string(),
        until: text,
        registered_division: text,
        living_division: text,
        category: z.string(),
        evidence: z.record(z.string(), z.unknown()),
      }),
    )
    .readonly(),
  residency: z.object({ index: z.number(), as_of: z.string(), signs: z.unknown() }).nullable(),
  households: z
    .array(
      z.object({
        household_code: z.string(),
        relation: text,
        division: text.describe('null where the household is outside the scope'),
        members: z.int().nullable(),
        known_members: z
          .array(z.object({ person_id: z.int(), name: text, relation: text }))
          .describe('those in scope'),
      }),
    )
    .readonly(),
  dwellings: z
    .array(
      z.object({
        dwelling_id: z.int(),
        relation: z.string(),
        feed: z.string(),
        source_key: z.string(),
        since: text,
        until: text,
        division: text.describe('null where the dwelling is outside the scope'),
        code: text,
        address: text,
      }),
    )
    .readonly(),
  events: z
    .array(
      z.object({ kind: z.string(), person_id: z.int(), other_person_id: z.int().nullable(), at: moment }),
    )
    .readonly(),
});

const person = z
  .object({
    profile,
    records: z.array(record).readonly(),
    ...life.shape,
    cases: z.array(
      z.object({
        anomaly_id: z.int(),
        rule: z.string(),
        severity: z.string(),
        status: z.string(),
        feed: text,
        source_key: text,
        opened_on: z.string(),
        due_on: text,
      }),
    ),
  })
  .meta({ id: 'Person' });

/** The person, or the one who took the place. */
interface Found {
  readonly shown: z.output<typeof person> | null;
  readonly successor: number | null;
}

/** `/api/persons`: who a person is, masked, and single values as they are. */
export function addPersonRoutes(server: Server, context: ServerContext): void {
  const about = { tags: ['persons'] };
  const config = { access: 'persons' } as const;

  server.get(
    '/api/persons/:id',
    {
      config,
      schema: {
        ...about,
        summary: 'One person, masked: profile, records, residence, cases. Logged, and limited in number',
        description:
          'An id that was merged away answers 307 with the Location of the person that took its place.',
        params: idInPath,
        querystring: z.object({ purpose }),
        response: { 200: person, 307: z.null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { purpose: why } = request.query;
      reply.header('cache-control', 'no-store');
      const found = await lookUp<Found>(context, request, 'masked', async (tx) => {
        const known = await readProfile(tx, id);
        if (known === null)
          return { result: { shown: null, successor: await successorOf(tx, id) }, act: null };
        const shown = {
          profile: known,
          records: await readRecords(tx, id),
          ...(await readLife(tx, id)),
          cases: await readCases(tx, id),
        };
        return {
          result: { shown, successor: null },
          act: { action: 'look', subject: `person ${id}`, purpose: why },
        };
      });
      if (found.shown !== null) return found.shown;
      if (found.successor === null)
        throw new PopshareError('PERSON_UNKNOWN', `there is no person ${id} in scope`);
      // Not for ever: when the merge is undone, the id comes back.
      const address = `/api/persons/${found.successor}?purpose=${encodeURIComponent(why)}`;
      return reply.code(307).header('location', address).send(null);
    },
  );

  server.post(
    '/api/persons/:id/unmask',
    {
      config,
      schema: {
        ...about,
        summary: 'One value as it is: of the profile, or of a record that names the person. Logged',
        params: idInPath,
        body: z.strictObject({
          record: z.union([
            z.literal('profile'),
            z.strictObject({ feed: z.string().max(100), key: z.string().max(1000) }),
          ]),
          field: z
            .string()
            .max(100)
            .describe(`of the profile: ${MASKED_VALUES.join(', ')}; of a record: a field that is masked`),
          purpose,
        }),
        response: { 200: z.object({ value: text }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { record: of, field, purpose: why } = request.body;
      reply.header('cache-control', 'no-store');
      const value = await lookUp(context, request, 'plain', async (tx) => ({
        result: await readValue(tx, { personId: id, record: of, field }),
        act: {
          action: 'unmask',
          subject: `person ${id}`,
          purpose: why,
          detail: { field, ...(of === 'profile' ? {} : { feed: of.feed, source_key: of.key }) },
        },
      }));
      return { value };
    },
  );
}
