import type { County } from './county.ts';
import type { Block, Person } from './population.ts';
import { mix, share } from './random.ts';
import type { Finding, Writing } from './slips.ts';

/** One person named by a record. */
export interface SynthMention {
  role: string;
  person: Person;
  writing: Writing;
}

/** A record's state on a night: which night changed it last, and whether its slips have been mended. */
export interface Version {
  night: number;
  /** The night of the last change; 0 for none. */
  changedOn: number;
  mended: boolean;
  /** 32 bits of chance that belong to this state. */
  chance: number;
}

export interface SynthRecord {
  /** The key columns' values joined by `|`. */
  key: string;
  /** Sets the record apart from the feed's others. */
  number: number;
  /** The first night that knows the record. */
  enters: number;
  /** A night on which an event changes the record. */
  eventOn?: number;
  /** Carries a case that no chance change may blur. */
  steady: boolean;
  mentions: SynthMention[];
  /** Cases of rules that the record anchors, beside the slips of its mentions. */
  cases: Finding[];
  /** The columns' values on a night. */
  values(version: Version): string[];
}

/** One feed: where and how it is delivered, and its records. A new feed is a file that exports one of these. */
export interface SynthFeed {
  name: string;
  department: string;
  mode: 'snapshot' | 'incremental';
  format: 'csv' | 'xlsx' | 'jsonl';
  /** CSV only. */
  delimiter: ',' | '|';
  encoding: 'gb18030' | 'utf8';
  byteOrderMark: boolean;
  columns: readonly string[];
  /** All records of a block over all nights, in a fixed order. */
  records(block: Block): Iterable<SynthRecord>;
}

const SHARE_CHANGED = 0.01;
const SHARE_GONE = 0.001;

/** The state of a record on a night, or undefined when it is not there yet, or gone from a snapshot. */
export function versionAt(
  county: County,
  feed: SynthFeed,
  feedNumber: number,
  record: SynthRecord,
  night: number,
): Version | undefined {
  if (record.enters > night) return undefined;
  const seed = mix(county.seed, 201, feedNumber, record.number);
  let changedOn = record.enters > 1 ? record.enters : 0;
  let mended = false;
  for (let step = Math.max(2, record.enters + 1); step <= night; step += 1) {
    const draw = record.steady ? 0.5 : share(seed, step);
    if (feed.mode === 'snapshot' && draw > 1 - SHARE_GONE) return undefined;
    if (draw < SHARE_CHANGED || record.eventOn === step) changedOn = step;
    if (draw < SHARE_CHANGED / 2) mended = true;
  }
  return { night, changedOn, mended, chance: mix(seed, 202, changedOn) };
}

/** What the record says of a mention in this state: corrected once its slips are mended. */
export function saidOf({ writing }: SynthMention, { mended }: Version): Writing['written'] {
  return mended ? writing.correct : writing.written;
}

/** A telephone number after a change of the record; the one given until then. */
export function phoneAfter(
  given: string,
  record: { enters: number },
  { changedOn, chance }: Version,
): string {
  if (changedOn <= record.enters) return given;
  return `1${39 + (chance % 50)}${String(chance % 100_000_000).padStart(8, '0')}`;
}
