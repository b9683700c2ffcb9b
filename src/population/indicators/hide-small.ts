import { sql, type Transaction } from 'kysely';
import type { DB } from '../../schema/database.ts';
import { type Indicator, outerBlocks } from './indicator-file.ts';
import { type Cell, hiddenDivisions } from './suppression.ts';

/**
 * Finds which figures readers may not see.
 *
 * Before: `figure`. After: temporary table `hidden_figure` (block, division).
 *
 * @param least a number of persons under this is not shown
 */
export async function hideSmall(
  tx: Transaction<DB>,
  indicators: readonly Indicator[],
  least: number,
): Promise<void> {
  await sql`
    CREATE TEMPORARY TABLE hidden_figure (
      block text COLLATE "C", division text COLLATE "C", PRIMARY KEY (block, division)) ON COMMIT DROP`.execute(
    tx,
  );
  for (const { blocks, within } of inOrder(await blocksOf(tx), indicators)) {
    for (const block of blocks) {
      const hidden = hiddenDivisions(await cellsOf(tx, block, within), least);
      await sql`
        INSERT INTO hidden_figure SELECT ${block}, unnest(${hidden}::text[])`.execute(tx);
    }
  }
  await sql`ANALYZE hidden_figure`.execute(tx);
}

async function blocksOf(tx: Transaction<DB>): Promise<string[]> {
  const { rows } = await sql<{ block: string }>`
    SELECT DISTINCT block FROM figure WHERE parts IS NOT NULL ORDER BY block`.execute(tx);
  return rows.map(({ block }) => block);
}

/** Blocks of one indicator, or of those that follow it, and the blocks within which they are shown. */
interface Group {
  readonly blocks: readonly string[];
  readonly within: readonly string[];
}

/** Each group after those within which it is shown. A name of a block is a code, and a value of `block_by`. */
function inOrder(blocks: readonly string[], indicators: readonly Indicator[]): Group[] {
  const waiting = outerBlocks(indicators);
  const groups: Group[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].find(([, within]) => [...within].every((code) => !waiting.has(code)));
    if (ready === undefined) throw new Error('the loader refuses blocks that are within themselves');
    const [leader, within] = ready;
    waiting.delete(leader);
    groups.push({ blocks: blocks.filter((block) => block.split(' ')[0] === leader), within: [...within] });
  }
  return groups;
}

async function cellsOf(tx: Transaction<DB>, block: string, within: readonly string[]): Promise<Cell[]> {
  const { rows } = await sql<Cell>`
    SELECT f.division, coalesce(jsonb_object_agg(f.code || f.series || ' ' || p.number, p.persons) FILTER (WHERE p.persons IS NOT NULL), '{}') AS parts,
           bool_or(f.value IS NULL)
             OR EXISTS (SELECT FROM hidden_figure h WHERE h.division = f.division AND h.block = ANY (${within}::text[])) AS hidden
    FROM figure f CROSS JOIN LATERAL unnest(f.parts) WITH ORDINALITY p (persons, number)
    WHERE f.block = ${block}
    GROUP BY f.division ORDER BY f.division`.execute(tx);
  return rows;
}
