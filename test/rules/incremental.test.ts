import path from 'node:path';
import { expect, test } from 'vitest';
import { decide, lift } from '../../src/jobs/decision.ts';
import { synthesise } from '../../src/synth/synthesise.ts';
import { personsModel } from '../identity/persons.ts';
import { useNights } from './nights.ts';

const MINUTES = 10 * 60_000;
const { county, nightAndCompare } = useNights();

/** Two active mentions of different persons, of the same role in a feed. */
async function strangers(): Promise<[number, number]> {
  const [pair] = await county.query<{ one: number; other: number }>(`
    SELECT one.mention_id AS one, other.mention_id AS other
    FROM identity.mention one JOIN identity.link l USING (mention_id)
    JOIN identity.mention other ON other.feed = 'social_insurance' AND other.active
    JOIN identity.link k ON k.mention_id = other.mention_id AND k.person_id <> l.person_id
    WHERE one.feed = 'residence_registration' AND one.active AND one.id_number IS NOT NULL AND other.id_number IS NOT NULL
    ORDER BY one.mention_id, other.mention_id DESC LIMIT 1`);
  if (pair === undefined) throw new Error('nobody is both registered and insured');
  return [pair.one, pair.other];
}

test(
  'looking at what changed finds what looking at everything does, night after night',
  async () => {
    const out = path.join(county.base, 'synth');
    await synthesise({ out, persons: 800, nights: 4, seed: 11 });
    county.drop = path.join(out, 'deliveries');
    for (const date of ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21']) await nightAndCompare(date);
    // Days pass and nothing comes.
    await nightAndCompare('2026-11-28');

    const model = await personsModel();
    const mentions = await strangers();
    const decision = { verdict: 'same' as const, mentions, reason: '核实', decidedBy: 'officer' };
    const decisionId = await decide(county.warehouse, model, decision);
    await nightAndCompare('2026-11-29');
    await lift(county.warehouse, model, { decisionId, reason: '误判', liftedBy: 'officer' });
    await nightAndCompare('2026-11-30');

    // All but the first of these looked at some.
    expect(await county.query('SELECT everybody FROM population.touched_night ORDER BY run_id')).toEqual([
      { everybody: true },
      ...Array.from({ length: 6 }, () => ({ everybody: false })),
    ]);
    // Of the touched, some share a record or a household with one that changed, and no more.
    expect(
      await county.query('SELECT DISTINCT by_relation FROM population.touched_person ORDER BY 1'),
    ).toEqual([{ by_relation: false }, { by_relation: true }]);
    // A date that goes back, and a new month: everybody is looked at.
    await nightAndCompare('2026-11-22');
    await nightAndCompare('2026-12-31');
  },
  MINUTES,
);
