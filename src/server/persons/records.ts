import { type Kysely, sql } from 'kysely';
import { CONTRACTS } from '../../schema/contracts/index.ts';
import type { DB } from '../../schema/database.ts';

/** A record that names a person, masked, with the headings of its contract. */
export interface PersonRecord {
  readonly feed: string;
  readonly title: { readonly zh: string; readonly en: string };
  readonly department: string;
  readonly source_key: string;
  /** Whether the department still has it. */
  readonly active: boolean;
  /** As whom it names the person, and why that is this person. */
  readonly roles: readonly {
    readonly role: string;
    readonly label: { readonly zh: string; readonly en: string };
    readonly method: string;
    readonly weight: number | null;
    readonly linked_at: Date;
  }[];
  /** YYYY-MM-DD: since when it says so; null when it is gone. */
  readonly valid_from: string | null;
  readonly fields: readonly {
    readonly field: string;
    readonly label: { readonly zh: string; readonly en: string };
    readonly value: string | null;
    /** Whether the value can be unmasked. */
    readonly masked: boolean;
  }[];
}

interface Mention {
  readonly feed: string;
  readonly source_key: string;
  readonly role: string;
  readonly active: boolean;
  readonly method: string;
  readonly weight: number | null;
  readonly linked_at: Date;
}

/** The records in scope that name a person, in the order of the contracts. */
export async function readRecords(db: Kysely<DB>, personId: number): Promise<PersonRecord[]> {
  const { rows: mentions } = await sql<Mention>`
    SELECT feed, source_key, role, active, method, weight, linked_at FROM masked.mention
    WHERE person_id = ${personId} ORDER BY feed, source_key, role`.execute(db);
  const records: PersonRecord[] = [];
  for (const contract of CONTRACTS) {
    const ofFeed = mentions.filter(({ feed }) => feed === contract.feed);
    if (ofFeed.length === 0) continue;
    const standing = await readFields(db, contract.feed, [
      ...new Set(ofFeed.filter(({ active }) => active).map(({ source_key }) => source_key)),
    ]);
    for (const [sourceKey, ofRecord] of Map.groupBy(ofFeed, ({ source_key }) => source_key)) {
      const row = standing.get(sourceKey);
      records.push({
        feed: contract.feed,
        title: contract.title,
        department: contract.department,
        source_key: sourceKey,
        active: ofRecord.some(({ active }) => active),
        roles: ofRecord.map(({ role, method, weight, linked_at }) => ({
          role,
          label: contract.mentions.find((known) => known.role === role)?.meaning ?? { zh: role, en: role },
          method,
          weight,
          linked_at,
        })),
        valid_from: row === undefined ? null : String(row['valid_from']),
        fields: Object.entries(row === undefined ? {} : contract.fields).map(
          ([field, { meaning, masking }]) => ({
            field,
            label: meaning,
            value: textOf(row?.[field]),
            masked: masking !== 'none',
          }),
        ),
      });
    }
  }
  return records;
}

async function readFields(
  db: Kysely<DB>,
  feed: string,
  keys: readonly string[],
): Promise<Map<string, Record<string, unknown>>> {
  if (keys.length === 0) return new Map();
  const { rows } = await sql<{ source_key: string; record: Record<string, unknown> }>`
    SELECT r.source_key, to_jsonb(r) AS record FROM ${sql.id('masked', feed)} r
    WHERE r.source_key = ANY (${keys}::text[])`.execute(db);
  return new Map(rows.map(({ source_key, record }) => [source_key, record]));
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
