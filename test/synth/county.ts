import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { decodeRows } from '../../src/ingest/decode/decode.ts';
import { checkHeader, rowJudge } from '../../src/ingest/validate.ts';
import type { Binding } from '../../src/schema/configuration/binding.ts';
import { loadConfiguration } from '../../src/schema/configuration/load.ts';
import { type SynthesiseOptions, synthesise } from '../../src/synth/synthesise.ts';

/** What a mention says, as the contract reads it. */
export interface Said {
  feed: string;
  key: string;
  role: string;
  idNumber: string | null;
  name: string | null;
  sex: string | null;
  birthDate: string | null;
  phone: string | null;
}

export type SentRecord = Readonly<Record<string, string | null>>;

/** A delivery as the reference binding reads it. */
export interface ReadDelivery {
  records: Map<string, SentRecord>;
  mentions: Said[];
  rejected: number;
  rows: number;
}

const { bindings } = await loadConfiguration(path.resolve('config'));

const folders: string[] = [];
// Asked for within a test, the runner would not call it.
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** A folder that lasts as long as the test file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'popshare-synth-'));
  folders.push(folder);
  return folder;
}

/** Invents a county in a folder of its own. */
export async function invent(options: Omit<SynthesiseOptions, 'out'>): Promise<string> {
  const out = await temporaryFolder();
  await synthesise({ ...options, out });
  return out;
}

/** The rows of a table beside the deliveries, without its header. */
export async function table(out: string, name: string): Promise<string[][]> {
  const text = await readFile(path.join(out, name), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
}

export function bindingOf(feed: string): Binding {
  const binding = bindings.find(({ contract }) => contract.feed === feed);
  if (binding === undefined) throw new Error(`no binding for ${feed}`);
  return binding;
}

export function deliveryPath(out: string, feed: string, date: string): string {
  const { contract, format } = bindingOf(feed);
  return path.join(out, 'deliveries', contract.department, `${feed}_${date}.${format}`);
}

/** Reads a delivery with the reference binding, as the nightly run does. */
export async function readDelivery(out: string, feed: string, date: string): Promise<ReadDelivery> {
  const binding = bindingOf(feed);
  const { format, delimiter, encoding } = binding;
  const source = await decodeRows(createReadStream(deliveryPath(out, feed, date)), {
    format,
    gzip: false,
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(encoding === undefined ? {} : { encoding }),
    columns: Object.values(binding.columns),
  });
  const { missing, extra } = checkHeader(binding, source.header);
  if (missing.length + extra.length > 0) throw new Error(`${feed}: missing ${missing}, extra ${extra}`);
  const judge = rowJudge(binding, source.header);
  const delivery: ReadDelivery = { records: new Map(), mentions: [], rejected: 0, rows: 0 };
  for await (const batch of source.rows) {
    for (const row of batch) {
      delivery.rows += 1;
      const verdict = judge(row);
      if ('rejected' in verdict) {
        delivery.rejected += 1;
        continue;
      }
      const { sourceKey, record } = verdict.accepted;
      delivery.records.set(sourceKey, record);
      delivery.mentions.push(...mentionsOf(binding, sourceKey, record));
    }
  }
  return delivery;
}

/** The persons that a record names: a father who is not told is nobody, a newborn without a name is somebody. */
function mentionsOf({ contract }: Binding, key: string, record: SentRecord): Said[] {
  const at = (field: string | undefined) => (field === undefined ? null : (record[field] ?? null));
  const said = contract.mentions.map(({ role, idNumber, name, sex, birthDate, phone }) => ({
    feed: contract.feed,
    key,
    role,
    idNumber: at(idNumber),
    name: at(name),
    sex: at(sex),
    birthDate: at(birthDate),
    phone: at(phone),
  }));
  return said.filter(({ idNumber, name, sex, birthDate }) => (idNumber ?? name ?? sex ?? birthDate) !== null);
}

export const FEEDS = bindings.map(({ contract }) => contract.feed);
