import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Warehouse } from '../../src/schema/warehouse/connect.ts';
import { bringTsv } from '../tsv.ts';

/** A partition of the mentions into persons, against the truth, pair by pair. */
export interface Accuracy {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Clusters that hold mentions of several true persons. */
  readonly mixed: number;
}

/** The comparison of one kind of mention between two partitions. */
export interface KindOfMention {
  readonly kind: string;
  readonly mentions: number;
  /** Mentions that are where most mentions of their person are. */
  readonly found: number;
  /** Mentions that are elsewhere, with somebody else. */
  readonly wrong: number;
}

/** Pairs of mentions that one partition alone put together. */
export interface Disagreement {
  /** The kinds of the two mentions' document numbers. */
  readonly kinds: string;
  /** Whether the two are one person in truth. */
  readonly same: boolean;
  readonly left: number;
  readonly right: number;
}

/** What is known of every mention, as popshare's own model sees it (the view identity.feature), as CSV. */
export async function exportMentions(warehouse: Warehouse, file: string): Promise<void> {
  const client = await warehouse.pool.connect();
  try {
    const rows = client.query(
      copyTo('COPY (SELECT * FROM identity.feature ORDER BY mention_id) TO STDOUT (FORMAT csv, HEADER)'),
    );
    await pipeline(rows, createWriteStream(file));
  } finally {
    client.release();
  }
}

/**
 * Brings the truth into the warehouse, and popshare's own links as the partition `popshare`.
 *
 * After: table `judged` holds the mentions with their true person; persons with a planted double registration
 * (ID02) are set aside, because the truth has them as one and two valid numbers are two until a human decides.
 * Table `partition` holds system, mention_id, cluster.
 */
export async function bringTruth(warehouse: Warehouse, county: string): Promise<void> {
  await bringTsv(
    warehouse,
    path.join(county, 'truth.tsv'),
    'truth',
    'feed text, source_key text, role text, person int',
  );
  await bringTsv(
    warehouse,
    path.join(county, 'planted.tsv'),
    'planted',
    'rule text, night int, feed text, source_key text, note text',
  );
  await sql`ANALYZE truth, planted`.execute(warehouse.db);
  await sql`
    CREATE TABLE judged AS
    SELECT m.mention_id, m.feed, m.source_key, m.role, m.id_kind, m.birth_date IS NOT NULL AS has_birth, t.person
    FROM truth t JOIN identity.mention m USING (feed, source_key, role)
    WHERE m.active AND NOT EXISTS (SELECT FROM planted p WHERE p.rule = 'ID02' AND p.feed = t.feed AND p.source_key = t.source_key)`.execute(
    warehouse.db,
  );
  await sql`
    CREATE TABLE partition AS
    SELECT 'popshare' AS system, l.mention_id, l.person_id AS cluster
    FROM identity.link l JOIN identity.mention m USING (mention_id) WHERE m.active`.execute(warehouse.db);
  await sql`ANALYZE judged, partition`.execute(warehouse.db);
}

/**
 * Adds partitions that another program made.
 *
 * @param file tab-separated, without a heading: system, mention_id, cluster
 */
export async function bringPartitions(warehouse: Warehouse, file: string): Promise<void> {
  const client = await warehouse.pool.connect();
  try {
    await pipeline(createReadStream(file), client.query(copyFrom('COPY partition FROM STDIN')));
    await client.query('ANALYZE partition');
  } finally {
    client.release();
  }
}

/** Pairwise precision, recall and F1 of a partition against the truth. */
export async function accuracyOf(warehouse: Warehouse, system: string): Promise<Accuracy> {
  const { rows } = await sql<{ found: number; true_pairs: number; both: number; mixed: number }>`
    WITH cell AS (
      SELECT person, cluster, count(*)::float8 AS n
      FROM judged JOIN partition p USING (mention_id) WHERE p.system = ${system} GROUP BY 1, 2)
    SELECT (SELECT sum(n * (n - 1) / 2) FROM (SELECT sum(n) AS n FROM cell GROUP BY cluster) c) AS found,
           (SELECT sum(n * (n - 1) / 2) FROM (SELECT sum(n) AS n FROM cell GROUP BY person) t) AS true_pairs,
           (SELECT sum(n * (n - 1) / 2) FROM cell) AS both,
           (SELECT count(*) FROM (SELECT FROM cell GROUP BY cluster HAVING count(*) > 1) c)::int AS mixed`.execute(
    warehouse.db,
  );
  const { found = 0, true_pairs = 0, both = 0, mixed = 0 } = rows[0] ?? {};
  return { precision: both / found, recall: both / true_pairs, f1: (2 * both) / (found + true_pairs), mixed };
}

/** How many mentions were judged. */
export async function countJudged(warehouse: Warehouse): Promise<number> {
  const { rows } = await sql<{ mentions: number }>`SELECT count(*)::int AS mentions FROM judged`.execute(
    warehouse.db,
  );
  return rows[0]?.mentions ?? 0;
}

/** Of the mentions with each kind of error, how many a partition put with most mentions of their true person. */
export async function byErrorKind(warehouse: Warehouse, system: string): Promise<KindOfMention[]> {
  await sql`DROP TABLE IF EXISTS placed`.execute(warehouse.db);
  await sql`
    CREATE TABLE placed AS
    SELECT j.*, p.cluster FROM judged j JOIN partition p USING (mention_id) WHERE p.system = ${system}`.execute(
    warehouse.db,
  );
  await sql`ANALYZE placed`.execute(warehouse.db);
  const { rows } = await sql<KindOfMention>`
    WITH home AS (
      SELECT DISTINCT ON (person) person, cluster
      FROM (SELECT person, cluster, count(*) AS n FROM placed GROUP BY 1, 2) c ORDER BY person, n DESC, cluster),
    company AS (SELECT person FROM placed GROUP BY person HAVING count(*) > 1),
    mixed AS (SELECT cluster FROM placed GROUP BY cluster HAVING count(DISTINCT person) > 1),
    slip AS (
      SELECT rule, feed, split_part(source_key, '/', 1) AS key, split_part(source_key, '/', 2) AS role
      FROM planted WHERE night = 1),
    flaw AS (
      SELECT mention_id, 'number with a slip' AS kind FROM placed WHERE id_kind = 'invalid'
      UNION ALL SELECT mention_id, 'no number, birth date given' FROM placed WHERE id_kind = 'absent' AND has_birth
      UNION ALL SELECT mention_id, 'no number, no birth date' FROM placed WHERE id_kind = 'absent' AND NOT has_birth
      UNION ALL SELECT mention_id, '15 digits' FROM placed WHERE id_kind = 'resident_15'
      UNION ALL
      SELECT DISTINCT l.mention_id, names.kind || CASE WHEN l.id_kind IN ('absent', 'invalid') THEN ', and no usable number' ELSE '' END
      FROM placed l
      CROSS JOIN unnest(ARRAY[l.source_key, split_part(l.source_key, '|', 1)]) AS own (key)
      JOIN slip s ON s.feed = l.feed AND s.key = own.key AND s.role IN ('', l.role)
      JOIN (VALUES ('ID04', 'homophone or look-alike'), ('DQ10', 'lost character'), ('DQ08', 'lunar birthday'),
                   ('DQ07', 'other birth date'), ('DQ03', 'impossible birth in the number'),
                   ('ID01', 'number of somebody else')) AS names (rule, kind) USING (rule))
    SELECT f.kind, count(*)::int AS mentions, (count(*) FILTER (WHERE l.cluster = h.cluster))::int AS found,
           (count(*) FILTER (WHERE l.cluster <> h.cluster AND m.cluster IS NOT NULL))::int AS wrong
    FROM flaw f JOIN placed l USING (mention_id) JOIN home h USING (person) JOIN company USING (person)
    LEFT JOIN mixed m ON m.cluster = l.cluster
    GROUP BY f.kind ORDER BY f.kind`.execute(warehouse.db);
  return rows;
}

/** Where two partitions differ: the pairs of mentions that one of them put together and the other did not. */
export async function byDisagreement(
  warehouse: Warehouse,
  left: string,
  right: string,
): Promise<Disagreement[]> {
  const { rows } = await sql<Disagreement>`
    WITH pair AS (
      SELECT a.system, a.mention_id AS l, b.mention_id AS r
      FROM partition a JOIN partition b ON b.system = a.system AND b.cluster = a.cluster AND b.mention_id > a.mention_id
      WHERE a.system IN (${left}, ${right})),
    alone AS (SELECT l, r, min(system) AS system FROM pair GROUP BY l, r HAVING count(*) = 1)
    SELECT least(l.id_kind, r.id_kind) || ', ' || greatest(l.id_kind, r.id_kind) AS kinds, l.person = r.person AS same,
           (count(*) FILTER (WHERE a.system = ${left}))::int AS left,
           (count(*) FILTER (WHERE a.system = ${right}))::int AS right
    FROM alone a JOIN judged l ON l.mention_id = a.l JOIN judged r ON r.mention_id = a.r
    GROUP BY 1, 2 ORDER BY same DESC, count(*) DESC`.execute(warehouse.db);
  return rows;
}
