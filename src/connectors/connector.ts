import type { Readable } from 'node:stream';

/** What a department says about a file that it sends: `{"feed","rows","sha256","generated_at"}`. */
export interface ControlFile {
  feed: string;
  /** Number of data rows, without the header. */
  rows: number;
  /** SHA-256 of the file's bytes as they were sent, 64 lower-case hexadecimal digits. */
  sha256: string;
  generatedAt: string | null;
}

/** One file, or answer, of a department that is complete and may be landed. */
export interface Arrival {
  feed: string;
  /** YYYY-MM-DD */
  businessDate: string;
  /** Where it came from, as an officer would name it: `public-security/household_register_20261118.csv`. */
  sourceName: string;
  /** Without the leading dot, compression included: `csv`, `csv.gz`, `xlsx`, `jsonl`. */
  extension: string;
  control: ControlFile | null;
  /** A fresh stream of the bytes, from the first, each time it is called. */
  open(): Promise<Readable>;
}

export type Finding =
  | { kind: 'ready'; arrival: Arrival }
  /** Something is there and must not be read yet; `reason` is shown to officers. */
  | { kind: 'not_ready'; reason: string }
  | { kind: 'absent'; looked_for: string };

/** What a connector needs to know of a binding. */
export interface FeedSource {
  feed: string;
  department: string;
  /** Without the leading dot, the preferred one first. */
  extensions: readonly string[];
  control: 'required' | 'optional';
}

/** A way for rows to arrive. Looking changes nothing at the source: it may be repeated at any time. */
export interface Connector {
  /** @param businessDate YYYY-MM-DD */
  find(feed: FeedSource, businessDate: string): Promise<Finding>;
}
