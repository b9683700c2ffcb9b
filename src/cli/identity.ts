import type { Command } from 'commander';
import { z } from 'zod';
import type { Verdict } from '../identity/decisions.ts';
import { explainLink, type LinkExplanation } from '../identity/explain.ts';
import { identityFieldsSchema } from '../identity/identity-fields.ts';
import { type Candidate, matchPerson } from '../identity/match.ts';
import { findMention } from '../identity/mention.ts';
import { loadModel } from '../identity/model/model-file.ts';
import { type TrainedModel, type WeightPart, withWeights } from '../identity/model/weights.ts';
import { listReviews, openPair, type ReviewSide, showReview } from '../identity/review-queue.ts';
import { decide, lift } from '../jobs/decision.ts';
import { PopshareError } from '../schema/errors.ts';
import { recordAct } from '../schema/warehouse/audit.ts';
import { numberArgument, say, sayJson, table } from './output.ts';
import { type Session, withSession } from './session.ts';

/** `reviews`, `match` and `explain`. */
export function addIdentityCommands(program: Command): void {
  addReviewCommands(program);
  addMatchCommand(program);
  addExplainCommand(program);
}

function addReviewCommands(program: Command): void {
  const reviews = program.command('reviews').description('doubtful links, and what humans decided 复核');

  reviews
    .command('list')
    .description('open reviews, what matters most first')
    .option('--json', 'one JSON object on stdout: {"reviews": [...]}')
    .action(async (options: { json?: boolean }) => {
      const { reviews: found } = await withSession(({ warehouse }) =>
        listReviews(warehouse, { after: null, limit: 500 }),
      );
      if (options.json) return sayJson({ reviews: found });
      if (found.length === 0) return say('no open reviews');
      const heading = ['review', 'kind', 'weight', 'priority', 'anomalies', 'benefits', 'left', 'right'];
      const rows = found.map((review) => [
        String(review.review_id),
        review.kind,
        bits(review.weight),
        String(review.priority),
        String(review.anomalies),
        String(review.benefits),
        nameOf(review.left),
        nameOf(review.right),
      ]);
      say(table([heading, ...rows]));
    });

  reviews
    .command('show')
    .argument('<id>')
    .description('one review: its records, why it is in doubt, and the decisions on them')
    .option('--json', 'one JSON object on stdout')
    .action(async (id: string, options: { json?: boolean }) => {
      const reviewId = numberArgument(id);
      await withSession(async (session) => {
        const { review, decisions } = await showReview(session.warehouse, reviewId);
        await recordAct(session.warehouse.db, {
          actor: session.user,
          action: 'look',
          subject: `review ${reviewId}`,
        });
        if (options.json) return sayJson({ review, decisions });
        say(`review ${review.review_id}: ${review.kind}, ${review.status}, ${bits(review.weight)} bits`);
        for (const side of [review.left, review.right]) say(`  ${nameOf(side)}  person ${side.person_id}`);
        say(`  ${review.anomalies} open anomalies, ${review.benefits} benefits`);
        for (const { decision_id, verdict, decided_by, reason, lifted_by } of decisions)
          say(
            `  decision ${decision_id}: ${verdict}, ${decided_by}: ${reason}${lifted_by === null ? '' : ` (lifted by ${lifted_by})`}`,
          );
      });
    });

  reviews
    .command('decide')
    .argument('<id>')
    .description('say whether the two records of a review are one person; in force at once')
    .requiredOption('--verdict <verdict>', 'same or different')
    .requiredOption('--reason <reason>', 'why; kept with your name')
    .option('--json', 'one JSON object on stdout: {"decision_id": …}')
    .action(async (id: string, options: { verdict: string; reason: string; json?: boolean }) => {
      const reviewId = numberArgument(id);
      const verdict = verdictArgument(options.verdict);
      await withSession(async (session) => {
        const mentions = await openPair(session.warehouse, reviewId);
        const decision = { verdict, mentions, reason: options.reason, decidedBy: session.user };
        const decisionId = await decide(session.warehouse, await personModel(session), decision);
        if (options.json) sayJson({ decision_id: decisionId });
        else say(`decision ${decisionId} is in force`);
      });
    });

  reviews
    .command('lift')
    .argument('<decision>')
    .description('lift a decision: the evidence alone speaks again')
    .requiredOption('--reason <reason>', 'why; kept with your name')
    .option('--json', 'one JSON object on stdout: {"decision_id": …}')
    .action(async (decision: string, options: { reason: string; json?: boolean }) => {
      const decisionId = numberArgument(decision);
      await withSession(async (session) => {
        const lifting = { decisionId, reason: options.reason, liftedBy: session.user };
        await lift(session.warehouse, await personModel(session), lifting);
        if (options.json) sayJson({ decision_id: decisionId });
        else say(`decision ${decisionId} is lifted`);
      });
    });
}

function addMatchCommand(program: Command): void {
  program
    .command('match')
    .description('the person for one set of identity fields 查人')
    .option('--name <name>', '姓名')
    .option('--id-number <number>', '证件号码')
    .option('--sex <code>', '1 male, 2 female (GB/T 2261.1)')
    .option('--birth-date <date>', 'YYYY-MM-DD or YYYYMMDD')
    .option('--phone <phone>', '电话')
    .option('--division <code>', 'where they live: 12 digits')
    .option('--registered-division <code>', 'where they are registered: 12 digits')
    .option('--address <address>', '地址')
    .option('--dwelling-code <code>', '房屋编码')
    .option('--purpose <purpose>', 'what for; kept in the audit log')
    .option('--json', 'one JSON object on stdout: {"outcome", "best", "second"}')
    .action(async (options: { json?: boolean; purpose?: string } & Record<string, unknown>) => {
      const { json, purpose, ...given } = options;
      const fields = identityFieldsSchema.safeParse(given);
      if (!fields.success) throw new PopshareError('USAGE', z.prettifyError(fields.error));
      if (Object.keys(fields.data).length === 0) throw new PopshareError('USAGE', 'give at least one field');
      const match = await withSession(async (session) => {
        const found = await matchPerson(session.warehouse, await personModel(session), fields.data);
        await recordAct(session.warehouse.db, {
          actor: session.user,
          action: 'match',
          subject: found.best === null ? undefined : `person ${found.best.personId}`,
          purpose,
          detail: { fields: Object.keys(fields.data), outcome: found.outcome },
        });
        return found;
      });
      if (json === true) return sayJson(match);
      say(match.outcome);
      if (match.best !== null) sayCandidate('best', match.best);
      if (match.second !== null) sayCandidate('second best', match.second);
    });
}

function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .description('why a record is linked to its person 解释')
    .requiredOption('--feed <feed>', 'the feed of the record')
    .requiredOption('--key <key>', 'the key of the record')
    .option('--role <role>', 'whom it names, where it names several')
    .option('--purpose <purpose>', 'what for; kept in the audit log')
    .option('--json', 'one JSON object on stdout')
    .action(
      async (options: { feed: string; key: string; role?: string; purpose?: string; json?: boolean }) => {
        const explanation = await withSession(async (session) => {
          const named = { feed: options.feed, sourceKey: options.key, role: options.role };
          const mention = await findMention(session.warehouse, named);
          const found = await explainLink(session.warehouse, await personModel(session), mention);
          await recordAct(session.warehouse.db, {
            actor: session.user,
            action: 'look',
            subject: `person ${found.person_id}`,
            purpose: options.purpose,
            detail: { feed: options.feed, source_key: options.key },
          });
          return found;
        });
        if (options.json) return sayJson(explanation);
        sayExplanation(explanation);
      },
    );
}

async function personModel({ configuration }: Session): Promise<TrainedModel> {
  return withWeights(await loadModel('persons', configuration.folder));
}

/** @throws USAGE */
function verdictArgument(text: string): Verdict {
  if (text === 'same' || text === 'different') return text;
  throw new PopshareError('USAGE', `${text} is no verdict; expected same or different`);
}

function sayCandidate(
  place: string,
  { personId, method, weight, probability, explanation }: Candidate,
): void {
  const weighed = weight === null ? '' : `, ${bits(weight)} bits, probability ${probability?.toFixed(4)}`;
  say(`${place}: person ${personId}, by ${method}${weighed}`);
  sayWaterfall(explanation);
}

function sayExplanation({ person_id, method, model_version, evidence, decisions }: LinkExplanation): void {
  say(`person ${person_id}, by ${method}${model_version === null ? '' : `, model version ${model_version}`}`);
  for (const { decision_id, verdict, decided_by, reason, lifted_by } of decisions)
    if (lifted_by === null) say(`decision ${decision_id}: ${verdict}, ${decided_by}: ${reason}`);
  if (evidence === null) return;
  sayWaterfall(evidence.waterfall);
  if (evidence.tipping.length > 0) say('it would be otherwise with 若如下则结论改变:');
  for (const { label, bits: change } of evidence.tipping) say(`  ${bits(change)}  ${label.zh}  ${label.en}`);
}

function sayWaterfall(parts: readonly WeightPart[]): void {
  if (parts.length === 0) return;
  const rows = parts.map(({ label, bits: added, frequencyBits, sum }) => [
    `  ${label.zh}`,
    label.en,
    bits(added + frequencyBits),
    bits(sum),
  ]);
  say(table([['  依据', 'evidence', 'bits', 'sum'], ...rows]));
}

function nameOf({ feed, source_key, role }: ReviewSide): string {
  return `${feed} ${source_key} ${role}`;
}

function bits(weight: number | null): string {
  return weight === null ? '' : weight.toFixed(2);
}
