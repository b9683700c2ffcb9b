import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Published figures: their true values, which of them readers may see, and what each department's feeds are worth. */
async function up(db: Kysely<unknown>): Promise<void> {
  // The true figures: no reader is let at them. A figure of a period that has ended stays; one that is as it was is
  // not written. `series` tells parts of an indicator apart (a sex, an age); most have none. Without a value: there was
  // nobody to speak of, which readers are not told either.
  await sql`
    CREATE TABLE population.indicator_value (
      code        text COLLATE "C" NOT NULL,
      series      text COLLATE "C" NOT NULL DEFAULT '',
      division    text COLLATE "C" NOT NULL,
      period      text COLLATE "C" NOT NULL CHECK (period ~ '^\\d{4}-\\d{2}$'),
      value       double precision,
      numerator   double precision,
      denominator double precision,
      unit        text COLLATE "C" NOT NULL,
      suppressed  boolean NOT NULL,
      as_of       date NOT NULL,
      run_id      bigint NOT NULL,
      PRIMARY KEY (period, code, division, series)
    )`.execute(db);

  // The last night of each period: its figures are of that day, also those that no later night had to write again.
  await sql`
    CREATE TABLE population.indicator_period (
      period text COLLATE "C" PRIMARY KEY,
      as_of  date NOT NULL,
      run_id bigint NOT NULL
    )`.execute(db);

  // Why an indicator has no figures: feeds of which nothing has ever been applied.
  await sql`
    CREATE TABLE population.indicator_gap (
      code   text COLLATE "C" PRIMARY KEY,
      feeds  text[] NOT NULL,
      run_id bigint NOT NULL
    )`.execute(db);
  await sql`
    CREATE VIEW reporting.indicator AS
    SELECT v.code || CASE WHEN v.series = '' THEN '' ELSE '.' || v.series END AS code, v.division, v.period,
           CASE WHEN NOT v.suppressed THEN v.value END AS value,
           CASE WHEN NOT v.suppressed THEN v.numerator END AS numerator,
           CASE WHEN NOT v.suppressed THEN v.denominator END AS denominator,
           v.unit, v.suppressed, p.as_of
    FROM population.indicator_value v JOIN population.indicator_period p USING (period)`.execute(db);

  // What a feed's records are worth, as counts; a row for each night on which one of them was another.
  await sql`
    CREATE TABLE population.feed_quality (
      feed                text COLLATE "C" NOT NULL,
      as_of               date NOT NULL,
      mentions            integer NOT NULL,
      valid_id            integer NOT NULL,
      linked              integer NOT NULL,
      compared            integer NOT NULL,
      agreeing            integer NOT NULL,
      corrections_ended   integer NOT NULL,
      corrections_on_time integer NOT NULL,
      run_id              bigint NOT NULL,
      PRIMARY KEY (feed, as_of)
    )`.execute(db);
  // In time is what the first night of its date that came to its end has found.
  await sql`
    CREATE VIEW reporting.scorecard AS
    WITH first_night AS (
      SELECT business_date, min(run_id) AS run_id FROM ops.run WHERE status = 'done' GROUP BY business_date),
    due AS (
      SELECT d.department, d.feed, d.business_date,
             bool_or(d.status <> 'missing' AND (n.run_id IS NULL OR d.run_id <= n.run_id)) AS on_time,
             sum(d.received) FILTER (WHERE d.status IN ('applied', 'unchanged', 'held')) AS received,
             sum(d.accepted) FILTER (WHERE d.status IN ('applied', 'unchanged', 'held')) AS accepted
      FROM ops.delivery d LEFT JOIN first_night n USING (business_date)
      GROUP BY d.department, d.feed, d.business_date)
    SELECT d.department, d.feed, d.business_date,
           d.on_time::integer::double precision AS timeliness,
           d.accepted::double precision / nullif(d.received, 0) AS acceptance,
           q.valid_id::double precision / nullif(q.mentions, 0) AS valid_id,
           q.linked::double precision / nullif(q.mentions, 0) AS linked,
           q.agreeing::double precision / nullif(q.compared, 0) AS agreement,
           q.corrections_on_time::double precision / nullif(q.corrections_ended, 0) AS corrections_on_time
    FROM due d
    LEFT JOIN LATERAL (
      SELECT * FROM population.feed_quality q
      WHERE q.feed = d.feed AND q.as_of <= d.business_date ORDER BY q.as_of DESC LIMIT 1) q ON true`.execute(
    db,
  );
  await sql`GRANT SELECT ON reporting.indicator, reporting.scorecard TO popshare_reader, popshare_app`.execute(
    db,
  );
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP VIEW reporting.scorecard, reporting.indicator`.execute(db);
  await sql`
    DROP TABLE population.feed_quality, population.indicator_gap, population.indicator_period,
      population.indicator_value`.execute(db);
}

export const indicators: Migration = { up, down };
