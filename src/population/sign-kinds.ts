import { type RawBuilder, sql } from 'kysely';
import type { PopulationSettings } from './settings.ts';

/** The night that a picture is made for. */
export interface PictureDay {
  /** YYYY-MM-DD: the newest business date that there was. */
  readonly asOf: string;
  readonly settings: PopulationSettings;
}

/** A kind of sign of life: which records show it, and from when to when. */
export interface SignKind {
  readonly kind: string;
  readonly feed: string;
  /** Among which registered persons its weight is estimated. */
  readonly among: 'adults' | 'all ages';
  /**
   * A SELECT of person_id, source_key, since, until (null: it goes on) and division (where the sign is given, if the
   * record tells) from `touched_mention`, the mentions that stand of the persons looked at.
   */
  readonly select: (day: PictureDay) => RawBuilder<unknown>;
}

/** Without a month of payment the state of the insurance speaks for it. */
const insurance = (kinds: readonly string[]): RawBuilder<unknown> => sql`
  SELECT m.person_id, r.source_key, coalesce(r.insured_since, r.last_paid_month) AS since,
         CASE WHEN r.last_paid_month IS NOT NULL THEN (r.last_paid_month + interval '1 month - 1 day')::date
              WHEN r.status <> '1' THEN r.valid_from END AS until,
         NULL AS division
  FROM touched_mention m JOIN registry.social_insurance r USING (source_key)
  WHERE m.feed = 'social_insurance' AND r.insurance_kind IN (${sql.join(kinds)})`;

/** A lease that was cancelled ended on the day of its last change. */
const lease = (role: 'tenant' | 'landlord'): RawBuilder<unknown> => sql`
  SELECT m.person_id, r.source_key, r.starts_on AS since,
         CASE WHEN r.status = '注销' THEN least(r.ends_on, (r.updated_at AT TIME ZONE 'Asia/Shanghai')::date) ELSE r.ends_on END AS until,
         CASE WHEN m.role = 'tenant' THEN r.division END AS division
  FROM touched_mention m JOIN registry.housing_lease r USING (source_key)
  WHERE m.feed = 'housing_lease' AND m.role = ${role}`;

/** The end of the school year that a date falls into: 31 August. */
const schoolYearEnd = (date: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`make_date(extract(year FROM ${date} - interval '8 months')::integer + 1, 8, 31)`;

/** A pupil is there since the school year in which the record first came, and until the end of the present one. */
const enrolment = (role: 'subject' | 'guardian', { asOf }: PictureDay): RawBuilder<unknown> => {
  const first = sql`least(r.valid_from, (SELECT min(h.valid_from) FROM registry.school_enrolment_history h
                                         WHERE h.source_key = r.source_key))`;
  return sql`
    SELECT m.person_id, r.source_key, (${schoolYearEnd(first)} - interval '1 year')::date + 1 AS since,
           ${schoolYearEnd(sql`${asOf}::date`)} AS until,
           CASE WHEN m.role = 'subject' THEN r.living_division END AS division
    FROM touched_mention m JOIN registry.school_enrolment r USING (source_key)
    WHERE m.feed = 'school_enrolment' AND m.role = ${role}`;
};

/** A child is an infant, and its birth tells where it lives, for the years that the configuration gives. */
const ownBirth = ({ settings }: PictureDay): RawBuilder<unknown> => sql`
  SELECT m.person_id, r.source_key, r.child_birth_date AS since,
         (r.child_birth_date + make_interval(years => ${settings.infant_years}::integer))::date AS until,
         r.mother_living_division AS division
  FROM touched_mention m JOIN registry.birth_certificate r USING (source_key)
  WHERE m.feed = 'birth_certificate' AND m.role = 'child'`;

/**
 * Every kind of sign that records give. Whether a kind tells of living here is not said here: the weights tell
 * (sign-weights.ts), and where a kind is evidence of a place, residence.ts says so.
 */
export const RECORDED_SIGNS: readonly SignKind[] = [
  {
    kind: 'pension_paid',
    feed: 'social_insurance',
    among: 'adults',
    select: () => insurance(['110', '170']),
  },
  {
    kind: 'medical_paid',
    feed: 'social_insurance',
    among: 'adults',
    select: () => insurance(['310', '390']),
  },
  {
    kind: 'benefit_drawn',
    feed: 'social_insurance',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, least(r.valid_from, r.last_paid_month) AS since, NULL::date AS until,
             NULL AS division
      FROM touched_mention m JOIN registry.social_insurance r USING (source_key)
      WHERE m.feed = 'social_insurance' AND r.benefit_status = '1'`,
  },
  {
    kind: 'residence_registered',
    feed: 'residence_registration',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, r.registered_on AS since, r.valid_until AS until,
             r.living_division AS division
      FROM touched_mention m JOIN registry.residence_registration r USING (source_key)
      WHERE m.feed = 'residence_registration'`,
  },
  { kind: 'tenant', feed: 'housing_lease', among: 'adults', select: () => lease('tenant') },
  { kind: 'landlord', feed: 'housing_lease', among: 'adults', select: () => lease('landlord') },
  {
    kind: 'owner',
    feed: 'housing_ownership',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, r.registered_on AS since, NULL::date AS until, NULL AS division
      FROM touched_mention m JOIN registry.housing_ownership r USING (source_key)
      WHERE m.feed = 'housing_ownership'`,
  },
  {
    kind: 'enrolled',
    feed: 'school_enrolment',
    among: 'all ages',
    select: (day) => enrolment('subject', day),
  },
  {
    kind: 'guardian',
    feed: 'school_enrolment',
    among: 'adults',
    select: (day) => enrolment('guardian', day),
  },
  {
    kind: 'trader',
    feed: 'sole_trader',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, coalesce(r.established_on, (r.updated_at AT TIME ZONE 'Asia/Shanghai')::date) AS since,
             CASE WHEN r.status = 'cancelled' THEN (r.updated_at AT TIME ZONE 'Asia/Shanghai')::date END AS until, r.division
      FROM touched_mention m JOIN registry.sole_trader r USING (source_key)
      WHERE m.feed = 'sole_trader'`,
  },
  {
    kind: 'marriage',
    feed: 'marriage_registration',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, r.registered_on AS since, r.registered_on AS until, NULL AS division
      FROM touched_mention m JOIN registry.marriage_registration r USING (source_key)
      WHERE m.feed = 'marriage_registration'`,
  },
  {
    kind: 'child_born',
    feed: 'birth_certificate',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, r.child_birth_date AS since, r.child_birth_date AS until, NULL AS division
      FROM touched_mention m JOIN registry.birth_certificate r USING (source_key)
      WHERE m.feed = 'birth_certificate' AND m.role IN ('mother', 'father')`,
  },
  { kind: 'own_birth', feed: 'birth_certificate', among: 'all ages', select: ownBirth },
  {
    kind: 'allowance',
    feed: 'subsistence_allowance',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, coalesce(r.since_month, r.valid_from) AS since, NULL::date AS until,
             NULL AS division
      FROM touched_mention m JOIN registry.subsistence_allowance r USING (source_key)
      WHERE m.feed = 'subsistence_allowance'`,
  },
  {
    kind: 'came',
    feed: 'village_report',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, r.event_on AS since, r.event_on AS until, r.village AS division
      FROM touched_mention m JOIN registry.village_report r USING (source_key)
      WHERE m.feed = 'village_report' AND r.event IN ('返乡', '迁入', '出生')`,
  },
  {
    kind: 'register_update',
    feed: 'household_register',
    among: 'adults',
    select: () => sql`
      SELECT m.person_id, r.source_key, (r.updated_at AT TIME ZONE 'Asia/Shanghai')::date AS since, (r.updated_at AT TIME ZONE 'Asia/Shanghai')::date AS until, NULL AS division
      FROM touched_mention m JOIN registry.household_register r USING (source_key)
      WHERE m.feed = 'household_register' AND r.status = '1'`,
  },
];

/** The spouse of the same household shows signs of life: estimated like the others (signs.ts says what counts). */
export const SPOUSE = 'spouse';

/** The names of all kinds of signs. */
export const SIGN_KINDS: readonly string[] = [...RECORDED_SIGNS.map(({ kind }) => kind), SPOUSE];
