import { beforeEach, describe, expect, test } from 'vitest';
import { explainLink, explainPair } from '../../src/identity/explain.ts';
import { featureOf, type IdentityFields, identityFieldsSchema } from '../../src/identity/identity-fields.ts';
import { type Match, matchPerson } from '../../src/identity/match.ts';
import { findMention } from '../../src/identity/mention.ts';
import { packPattern } from '../../src/identity/model/pattern.ts';
import { tippingChanges } from '../../src/identity/model/tipping.ts';
import { patternWeight, type TrainedModel } from '../../src/identity/model/weights.ts';
import { decide } from '../../src/jobs/decision.ts';
import { insurance, register, residence, residentNumber, TONIGHT, WANG } from '../rules/situation.ts';
import { type Row, useCounty } from '../support/drop.ts';
import { mentionOf, personsModel, personsOf } from './persons.ts';

const county = useCounty('ingest', 'identity');
let model: TrainedModel;
beforeEach(async () => {
  model = await personsModel();
});

const PHONE = '13912904678';
const OTHER = residentNumber('19800101', '003');
const H = 'household_register H subject';
const S = 'social_insurance S|110 subject';

async function night(rows: Readonly<Record<string, Row[]>>): Promise<void> {
  for (const [feed, given] of Object.entries(rows)) await county.deliver(feed, TONIGHT, given);
  expect(await county.night(TONIGHT, Object.keys(rows))).toMatchObject({ status: 'done' });
}

async function match(fields: IdentityFields): Promise<Match> {
  return matchPerson(county.warehouse, model, identityFieldsSchema.parse(fields));
}

describe('the person for identity fields', () => {
  beforeEach(() =>
    night({
      household_register: [
        register('H', { phone: PHONE }),
        register('I', { id_number: OTHER, name: '李娜', sex: '2', phone: '13912904679' }),
      ],
      residence_registration: [residence('J')],
      social_insurance: [insurance('S', { id_number: '', name: '赵敏', sex: '2', birth_date: '19910203' })],
    }),
  );

  test.each([
    ['the same name', '王强'],
    ['a homophone', '汪强'],
    ['a lost character', '王?'],
  ])('a valid number and %s', async (_how, name) => {
    const persons = await personsOf(county);
    expect(await match({ idNumber: WANG.id_number, name })).toMatchObject({
      outcome: 'found',
      best: { personId: persons[H], method: 'number' },
      second: null,
    });
  });

  test('a number in the form of before 1999, alone', async () => {
    const fifteen = WANG.id_number.slice(0, 6) + WANG.id_number.slice(8, 17);
    const persons = await personsOf(county);
    expect(await match({ idNumber: fifteen })).toMatchObject({
      outcome: 'found',
      best: { personId: persons[H] },
    });
  });

  test('without a number, by what agrees, with the waterfall in both languages', async () => {
    const persons = await personsOf(county);
    const { outcome, best } = await match({ name: '王强', sex: '1', birthDate: '1980-01-01', phone: PHONE });
    expect(outcome).toBe('found');
    expect(best).toMatchObject({ personId: persons[H], method: 'model' });
    expect(best?.explanation.at(-1)?.sum).toBeCloseTo(best?.weight ?? 0);
    expect(best?.explanation.map(({ label }) => label.zh)).toContain('电话：相同');
    expect(best?.explanation.map(({ label }) => label.en)).toContain('telephone: equal');
    expect(best?.probability).toBeGreaterThan(0.9);
  });

  test('a number with a slip', async () => {
    const persons = await personsOf(county);
    const slipped = `${WANG.id_number.slice(0, 14)}9${WANG.id_number.slice(15)}`;
    const { best } = await match({ idNumber: slipped, name: '王强', birthDate: '19800101' });
    expect(best).toMatchObject({ personId: persons[H], method: 'model' });
    expect(best?.explanation).toContainEqual(
      expect.objectContaining({ comparison: 'document number', level: 'at most two edits' }),
    );
  });

  test('somebody whom only records without a number name', async () => {
    const persons = await personsOf(county);
    expect((await match({ name: '赵敏', sex: '2', birthDate: '19910203' })).best).toMatchObject({
      personId: persons[S],
    });
  });

  test('another valid number is another person, however much agrees', async () => {
    const idNumber = residentNumber('19800101', '007');
    const given = { idNumber, name: '王强', sex: '1', birthDate: '19800101', phone: PHONE } as const;
    expect(await match(given)).toEqual({ outcome: 'none', best: null, second: null });
  });

  test('a number with a name that contradicts it, and a stranger: nobody', async () => {
    expect(await match({ idNumber: WANG.id_number, name: '陈静' })).toMatchObject({ outcome: 'none' });
    expect(await match({ name: '陈静', birthDate: '1970-05-05' })).toMatchObject({ outcome: 'none' });
    expect(await match({ phone: '13912904670' })).toMatchObject({ outcome: 'none' });
  });
});

test('two persons who fit as well: doubtful, with the second best', async () => {
  await night({ household_register: [register('H'), register('I', { id_number: OTHER })] });
  const { outcome, best, second } = await match({ name: '王强', sex: '1', birthDate: '19800101' });
  expect(outcome).toBe('doubtful');
  expect(best?.weight).toBe(second?.weight);
  expect(best?.personId).not.toBe(second?.personId);
});

test('a key that too many share says nothing', async () => {
  await night({ household_register: [register('H'), register('I', { id_number: OTHER })] });
  const strict = { ...model, block_limit: 1 };
  expect(
    await matchPerson(county.warehouse, strict, { name: '王强', birthDate: '1980-01-01' }),
  ).toMatchObject({ outcome: 'none' });
});

test('fields make the features that a mention of the same fields has', async () => {
  const rows: Row[] = [
    { phone: PHONE, registered_address: '崆峒区东大街十二号之三' },
    { id_number: '62080219800101001', name: '王 □' },
    { id_number: '620802800101001', name: 'Ａlimjan·Ｔursun', birth_date: '19800230' },
    { id_number: residentNumber('19800230'), name: '欧阳娜娜', birth_date: '19850220' },
    { id_number: '111111111111111111', name: '赵敏' },
    { id_number: `${WANG.id_number.slice(0, 17)}A`, name: '不详', birth_date: '19850220', phone: '无' },
  ].map((more, at) => register(String(at), { birth_date: '19800101', ...more }));
  const sent = rows.filter(({ birth_date }) => birth_date !== '19800230');
  await night({ household_register: sent });
  for (const row of sent) {
    const [stored] = await county.query<Record<string, unknown>>(
      'SELECT * FROM identity.feature WHERE source_key = $1',
      [row['person_number']],
    );
    const feature = featureOf(
      identityFieldsSchema.parse({
        idNumber: row['id_number'],
        name: row['name'],
        sex: row['sex'],
        birthDate: row['birth_date'],
        phone: row['phone'],
        division: row['registered_division'],
        address: row['registered_address'],
      }),
    );
    expect({ ...stored, registered_division: null }).toMatchObject({ ...feature });
    if (row['id_number']?.startsWith('111')) expect(feature.id_birth).toBeNull();
  }
});

test('fields that cannot be read are refused with the field named', () => {
  const { error } = identityFieldsSchema.safeParse({
    birthDate: '30 February',
    division: '62',
    colour: 'red',
  });
  expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['birthDate', 'division', '']);
});

describe('why a record is linked where it is', () => {
  test('by its number, by the model, by a human', async () => {
    await night({
      household_register: [register('H', { phone: PHONE })],
      social_insurance: [insurance('S', { id_number: '', phone: PHONE })],
      residence_registration: [residence('J', { id_number: OTHER })],
    });
    const [h, s, j] = [
      await mentionOf(county, H),
      await findMention(county.warehouse, { feed: 'social_insurance', sourceKey: 'S|110' }),
      await mentionOf(county, 'residence_registration J subject'),
    ];
    expect(await explainLink(county.warehouse, model, h)).toMatchObject({
      method: 'valid_id',
      evidence: null,
    });

    const linked = await explainLink(county.warehouse, model, s);
    expect(linked).toMatchObject({ method: 'model', model_version: model.version });
    expect(linked.evidence?.waterfall.at(-1)?.sum).toBeCloseTo(linked.evidence?.weight ?? 0);
    expect(linked.evidence?.tipping.length).toBeGreaterThan(0);
    const told = JSON.stringify(linked);
    for (const value of ['王强', PHONE, '19800101']) expect(told).not.toContain(value);

    const decision = { verdict: 'same', mentions: [h, j], reason: '核实', decidedBy: 'officer' } as const;
    const decisionId = await decide(county.warehouse, model, decision);
    const decided = await explainLink(county.warehouse, model, j);
    expect(decided.decisions).toMatchObject([{ decision_id: decisionId, verdict: 'same', reason: '核实' }]);
    expect(await explainPair(county.warehouse, model, h, j)).toMatchObject({
      law: 'different_numbers',
      decisions: [{ decision_id: decisionId }],
    });
  });

  test('two records that the model put together without a number', async () => {
    const nobody = { id_number: '', name: '赵敏', sex: '2', birth_date: '19910203', phone: PHONE };
    await night({
      social_insurance: [insurance('S', nobody)],
      residence_registration: [residence('J', nobody)],
    });
    const [s, j] = [await mentionOf(county, S), await mentionOf(county, 'residence_registration J subject')];
    const pair = await explainPair(county.warehouse, model, s, j);
    expect(pair.law).toBeNull();
    expect(pair.weight).toBeGreaterThanOrEqual(model.thresholds.join);
    expect((await explainLink(county.warehouse, model, s)).evidence?.weight).toBe(pair.weight);
  });

  test('a record that is not there', async () => {
    await expect(
      findMention(county.warehouse, { feed: 'social_insurance', sourceKey: 'none' }),
    ).rejects.toMatchObject({ code: 'MENTION_UNKNOWN' });
    await expect(explainLink(county.warehouse, model, 4711)).rejects.toMatchObject({
      code: 'MENTION_UNKNOWN',
    });
  });
});

describe('what would change the outcome', () => {
  const levelsOf = (comparison: string, level: string): number =>
    1 +
    (model.comparisons
      .find(({ name }) => name === comparison)
      ?.levels.findIndex((one) => one.level === level) ?? -1);
  const patternOf = (levels: Readonly<Record<string, string>>): bigint =>
    packPattern(
      model.comparisons.map(({ name }) => (name in levels ? levelsOf(name, levels[name] ?? '') : 0)),
    );

  test('the fewest comparisons, each no further than needed, and no fewer would do', () => {
    for (const given of [
      { name: 'equal', birth: 'equal', sex: 'equal', telephone: 'equal', place: 'same dwelling' },
      { name: 'equal', birth: 'equal', sex: 'equal' },
      { name: 'equal', birth: 'different' },
      { name: 'homophone' },
    ]) {
      const pattern = patternOf(given);
      const { join, split } = model.thresholds;
      const weight = patternWeight(model, pattern);
      const changes = tippingChanges(model, pattern);
      expect(changes.length).toBeGreaterThan(0);
      const changed: Record<string, string> = { ...given };
      for (const { comparison, to } of changes) changed[comparison] = to;
      const after = patternWeight(model, patternOf(changed));
      if (weight >= join) expect(after).toBeLessThan(split);
      else expect(after).toBeGreaterThanOrEqual(join);
      expect(after - weight).toBeCloseTo(changes.reduce((sum, { bits }) => sum + bits, 0));
      for (const { comparison } of changes) {
        const fewer = { ...changed };
        delete fewer[comparison];
        const back = Object.entries(given).find(([name]) => name === comparison)?.[1];
        if (back !== undefined) fewer[comparison] = back;
        const partial = patternWeight(model, patternOf(fewer));
        expect(weight >= join ? partial >= split : partial < join).toBe(true);
      }
    }
  });
});
