import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import { explainPair } from '../../identity/explain.ts';
import { listReviews, openPair, showReview } from '../../identity/review-queue.ts';
import { decide, lift } from '../../jobs/decision.ts';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { principalOf, type Server, type ServerContext } from '../context.ts';
import { lookUp } from '../look-ups.ts';
import { PROBLEMS } from '../problems.ts';
import { idInPath, moment, pageOf, pageQuery, purpose, weightPart, wirePart, words } from '../schemas.ts';

const text = z.string().nullable();

const side = z.object({
  mention_id: z.int(),
  feed: z.string(),
  source_key: z.string(),
  role: z.string(),
  person_id: z.int().nullable(),
});

const review = z
  .object({
    review_id: z.int(),
    kind: z.string(),
    status: z.enum(['open', 'linked', 'separated', 'withdrawn']),
    weight: z.number().nullable(),
    opened_at: moment,
    left: side,
    right: side,
    anomalies: z.int().describe('open cases of its persons’ records, as of last night'),
    benefits: z.int().describe('benefits that its persons draw, as of last night'),
    priority: z.int(),
  })
  .meta({ id: 'Review' });

const mention = z.object({
  mention_id: z.int(),
  feed: z.string(),
  source_key: z.string(),
  role: z.string(),
  active: z.boolean(),
  id_kind: z.string(),
  id_given: text,
  name: text,
  sex: text,
  birth_date: text,
  phone: text,
  division: text,
  registered_division: text,
  address: text,
  person_id: z.int().nullable(),
  method: text,
  weight: z.number().nullable(),
});

const decision = z.object({
  decision_id: z.int(),
  verdict: z.string(),
  left_mention: z.int(),
  right_mention: z.int(),
  reason: z.string(),
  decided_by: z.string(),
  decided_at: moment,
  lifted_by: text,
  lifted_reason: text,
  lifted_at: moment.nullable(),
});

const wholeReview = z
  .object({
    review,
    mentions: z.array(mention).describe('left and right, masked'),
    explanation: z
      .object({
        law: z
          .enum([
            'same_number',
            'same_number_other_name',
            'different_numbers',
            'one_household',
            'cannot_link',
            'one_record',
          ])
          .nullable()
          .describe('what decides before any weight'),
        weight: z.number(),
        probability: z.number(),
        waterfall: z.array(weightPart),
        tipping: z
          .array(
            z.object({ comparison: z.string(), from: text, to: z.string(), label: words, bits: z.number() }),
          )
          .describe('the smallest change of evidence that would bring it across the threshold'),
      })
      .nullable()
      .describe('null when one of the records is gone'),
    decisions: z.array(decision).readonly(),
  })
  .meta({ id: 'WholeReview' });

const reason = z.string().trim().min(1).max(2000);

/** `/api/reviews` and `/api/decisions`: doubtful links, and what humans decide. */
export function addReviewRoutes(server: Server, context: ServerContext): void {
  const about = { tags: ['reviews'] };
  const { engine, model } = context;

  server.get(
    '/api/reviews',
    {
      config: { access: 'reviews' },
      schema: {
        ...about,
        summary: 'One page of the open reviews, what matters most first',
        querystring: pageQuery,
        response: { 200: pageOf(review), ...PROBLEMS },
      },
    },
    async (request) => {
      const { after = null, limit } = request.query;
      const page = await context.inScope(request, (scoped) => listReviews(scoped, { after, limit }));
      return { items: page.reviews, next: page.next };
    },
  );

  server.get(
    '/api/reviews/:id',
    {
      config: { access: 'reviews' },
      schema: {
        ...about,
        summary:
          'One review: both mentions masked, why it is in doubt, what was decided. Logged, and limited in number',
        params: idInPath,
        querystring: z.object({ purpose: purpose.default('review') }),
        response: { 200: wholeReview, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      reply.header('cache-control', 'no-store');
      return lookUp(context, request, 'masked', async (tx) => {
        const { review: found, decisions } = await showReview({ db: tx }, id);
        const pair = [found.left.mention_id, found.right.mention_id] as const;
        const result = {
          review: found,
          mentions: await readMentions(tx, pair),
          explanation: await explain(pair),
          decisions,
        };
        const persons = [found.left.person_id, found.right.person_id];
        return {
          result,
          act: {
            action: 'look',
            subject: `review ${id}`,
            purpose: request.query.purpose,
            detail: { persons },
          },
        };
      });
    },
  );

  server.post(
    '/api/reviews/:id/decision',
    {
      config: { access: 'decide reviews' },
      schema: {
        ...about,
        summary: 'Says whether the two mentions are one person; in force at once',
        params: idInPath,
        body: z.strictObject({ verdict: z.enum(['same', 'different']), reason }),
        response: { 200: z.object({ decision_id: z.int() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const mentions = await context.inScope(request, (scoped) => openPair(scoped, request.params.id));
      const decidedBy = principalOf(request).name;
      return { decision_id: await decide(engine, model, { ...request.body, mentions, decidedBy }) };
    },
  );

  server.post(
    '/api/decisions/:id/lift',
    {
      config: { access: 'decide reviews' },
      schema: {
        ...about,
        summary: 'Lifts a decision: the evidence alone speaks again',
        params: idInPath,
        body: z.strictObject({ reason }),
        response: { 204: z.null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const seen = await context.inScope(request, ({ db }) =>
        sql`SELECT FROM identity.decision WHERE decision_id = ${id} AND lifted_at IS NULL`.execute(db),
      );
      if (seen.rows.length === 0)
        throw new PopshareError('DECISION_UNKNOWN', `there is no decision ${id} in force`);
      const liftedBy = principalOf(request).name;
      await lift(engine, model, { decisionId: id, reason: request.body.reason, liftedBy });
      return reply.code(204).send(null);
    },
  );

  /** The review was found in scope: levels and weights alone come from the engine. */
  async function explain(pair: readonly [number, number]) {
    try {
      const { law, weight, probability, waterfall, tipping } = await explainPair(engine, model, ...pair);
      return { law, weight, probability, waterfall: waterfall.map(wirePart), tipping: [...tipping] };
    } catch (error) {
      if (error instanceof PopshareError && error.code === 'MENTION_UNKNOWN') return null;
      throw error;
    }
  }
}

async function readMentions(
  db: Kysely<DB>,
  [left, right]: readonly [number, number],
): Promise<z.output<typeof mention>[]> {
  const { rows } = await sql<z.output<typeof mention>>`
    SELECT mention_id, feed, source_key, role, active, id_kind, id_given, name, sex, birth_date, phone, division,
           registered_division, address, person_id, method, weight
    FROM masked.mention WHERE mention_id IN (${left}, ${right}) ORDER BY mention_id = ${right}`.execute(db);
  return rows;
}
