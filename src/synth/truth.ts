import path from 'node:path';
import { compactDate } from './calendar.ts';
import type { SynthFeed, SynthRecord } from './feed.ts';
import { openTable } from './output.ts';
import type { Block } from './population.ts';
import type { RowWriter } from './row-writer.ts';

/** The tables beside the deliveries: who is who, what was planted, what was sent. */
export interface TruthTables {
  truth: RowWriter;
  persons: RowWriter;
  planted: RowWriter;
  sent: RowWriter;
}

export async function openTruthTables(out: string): Promise<TruthTables> {
  return {
    truth: await openTable(path.join(out, 'truth.tsv'), ['feed', 'source_key', 'role', 'true_person']),
    persons: await openTable(path.join(out, 'persons.tsv'), [
      'true_person',
      'id_number',
      'name',
      'sex',
      'birth',
      'registered_here',
      'lives_here',
      'alive',
    ]),
    planted: await openTable(path.join(out, 'planted.tsv'), ['rule', 'night', 'feed', 'source_key', 'note']),
    sent: await openTable(path.join(out, 'sent.tsv'), ['night', 'feed', 'rows', 'changed', 'gone']),
  };
}

/** The true persons of a block, as they are after the last night. */
export async function tellPersons(block: Block, { persons }: TruthTables): Promise<void> {
  const yes = (value: boolean) => (value ? '1' : '0');
  for (const person of block.persons) {
    persons.add([
      String(person.number),
      person.idNumber,
      person.name,
      String(person.sex),
      compactDate(person.birth),
      yes(person.registered),
      yes(person.livesHere),
      yes(person.death === undefined),
    ]);
  }
  await persons.flush();
}

/** Who the record speaks of, and what a rule should find in it, on the night that delivers it first. */
export function tellRecord(feed: SynthFeed, record: SynthRecord, night: number, tables: TruthTables): void {
  const plant = (rule: string, key: string, note: string) =>
    tables.planted.add([rule, String(night), feed.name, key, note]);
  for (const { role, person, writing } of record.mentions) {
    tables.truth.add([feed.name, record.key, role, String(person.number)]);
    const key = record.mentions.length > 1 ? `${record.key}/${role}` : record.key;
    for (const { rule, note } of writing.findings) plant(rule, key, note);
  }
  for (const { rule, note } of record.cases) plant(rule, record.key, note);
}
