import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { inventBlock } from './blocks.ts';
import { compactDate, dashedDate } from './calendar.ts';
import type { County } from './county.ts';
import {
  cutOff,
  type DeliveryFault,
  deliveryFault,
  renamedColumns,
  staysInShrunken,
} from './delivery-faults.ts';
import { type SynthFeed, type SynthRecord, versionAt } from './feed.ts';
import { SYNTH_FEEDS } from './feeds/index.ts';
import { openFeedFile } from './output.ts';
import type { RowWriter } from './row-writer.ts';
import { type TruthTables, tellPersons, tellRecord } from './truth.ts';

const CONTROL = z.object({ rows: z.number(), sha256: z.string() });

/** One feed's delivery while its night is written. */
interface Delivery {
  feed: SynthFeed;
  feedNumber: number;
  fault: DeliveryFault | undefined;
  path: string;
  /** Undefined when no file of its own is written: never arrived, or the bytes of the night before. */
  writer: RowWriter | undefined;
  /** Rows before a fault takes some away. */
  rows: number;
  changed: number;
  gone: number;
}

/**
 * Writes the deliveries of one night. The files of all feeds are open together, so that each block is invented
 * once a night and then forgotten.
 *
 * @param out the folder that holds `deliveries/`
 * @returns what arrived, with the number of rows that its control file tells
 */
export async function deliverNight(
  county: County,
  night: number,
  out: string,
  tables: TruthTables,
): Promise<{ feed: string; rows: number }[]> {
  const deliveries: Delivery[] = [];
  for (const [index, feed] of SYNTH_FEEDS.entries()) {
    deliveries.push(await openDelivery(county, night, out, feed, index + 1));
  }
  for (let number = 0; number < county.blocks; number += 1) {
    const block = inventBlock(county, number);
    if (night === 1) await tellPersons(block, tables);
    for (const delivery of deliveries) {
      for (const record of delivery.feed.records(block))
        deliverRecord(county, night, delivery, record, tables);
      await delivery.writer?.flush();
    }
    await tables.truth.flush();
    await tables.planted.flush();
  }
  const arrived: { feed: string; rows: number }[] = [];
  for (const delivery of deliveries) {
    const rows = await closeDelivery(county, night, out, delivery);
    if (rows !== undefined) arrived.push({ feed: delivery.feed.name, rows });
    tellDelivery(county, night, delivery, tables);
  }
  return arrived;
}

async function openDelivery(
  county: County,
  night: number,
  out: string,
  feed: SynthFeed,
  feedNumber: number,
): Promise<Delivery> {
  const fault = deliveryFault(county, feed.name, night);
  const file = feedPath(county, night, out, feed);
  await mkdir(path.dirname(file), { recursive: true });
  const writes = fault?.kind !== 'missing' && fault?.kind !== 'repeated';
  const columns = fault?.kind === 'renamed' ? renamedColumns(feed.columns) : feed.columns;
  const writer = writes ? await openFeedFile(file, { ...feed, columns }) : undefined;
  return { feed, feedNumber, fault, path: file, writer, rows: 0, changed: 0, gone: 0 };
}

function feedPath(county: County, night: number, out: string, feed: SynthFeed): string {
  const date = compactDate(county.firstDay + night - 1);
  return path.join(out, 'deliveries', feed.department, `${feed.name}_${date}.${feed.format}`);
}

function deliverRecord(
  county: County,
  night: number,
  delivery: Delivery,
  record: SynthRecord,
  tables: TruthTables,
): void {
  const { feed, feedNumber, fault, writer } = delivery;
  const version = versionAt(county, feed, feedNumber, record, night);
  if (version === undefined) {
    if (night > 1 && versionAt(county, feed, feedNumber, record, night - 1) !== undefined) delivery.gone += 1;
    return;
  }
  if (fault === undefined && record.enters === night) tellRecord(feed, record, night, tables);
  const isNews = version.changedOn === night;
  if (isNews) delivery.changed += 1;
  if (feed.mode === 'incremental' && night > 1 && !isNews) return;
  delivery.rows += 1;
  if (fault?.kind === 'shrunken' && !staysInShrunken(delivery.rows)) return;
  writer?.add(record.values(version));
}

/** Ends the file and writes its control file; undefined when nothing arrives. */
async function closeDelivery(
  county: County,
  night: number,
  out: string,
  { feed, fault, path: file, writer }: Delivery,
): Promise<number | undefined> {
  if (fault?.kind === 'missing') return undefined;
  let control: z.infer<typeof CONTROL>;
  if (writer === undefined) {
    const before = feedPath(county, night - 1, out, feed);
    await copyFile(before, file);
    control = CONTROL.parse(JSON.parse(await readFile(controlPath(before), 'utf8')));
  } else {
    control = await writer.close();
    if (fault?.kind === 'cut_off') control.sha256 = await cutOff(file);
  }
  const { rows, sha256 } = control;
  const generatedAt = `${dashedDate(county.firstDay + night - 1)}T12:00:00.000Z`;
  await writeFile(
    controlPath(file),
    JSON.stringify({ feed: feed.name, rows, sha256, generated_at: generatedAt }),
  );
  return rows;
}

function controlPath(file: string): string {
  return file.replace(/\.[a-z]+$/, '.ctl.json');
}

/** What was sent, or the fault that a rule about deliveries should find. */
function tellDelivery(
  county: County,
  night: number,
  delivery: Delivery,
  { sent, planted }: TruthTables,
): void {
  const { feed, fault, rows, changed, gone } = delivery;
  if (fault !== undefined) {
    const date = compactDate(county.firstDay + night - 1);
    planted.add([fault.rule, String(night), feed.name, date, fault.note]);
    return;
  }
  const counts = night === 1 ? [] : [String(changed), String(gone)];
  sent.add([String(night), feed.name, String(rows), ...counts]);
}
