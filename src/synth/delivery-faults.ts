import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, truncate } from 'node:fs/promises';
import type { County } from './county.ts';

/** What goes wrong with a delivery on the last of three nights or more. */
export interface DeliveryFault {
  rule: 'FD01' | 'FD02' | 'FD03' | 'FD04' | 'FD05';
  kind: 'missing' | 'shrunken' | 'renamed' | 'repeated' | 'cut_off';
  note: string;
}

const FAULTS: Readonly<Record<string, DeliveryFault>> = {
  marriage_registration: { rule: 'FD04', kind: 'repeated', note: 'the same bytes as the night before' },
  subsistence_allowance: { rule: 'FD02', kind: 'shrunken', note: 'a snapshot of 40% of its rows' },
  school_enrolment: { rule: 'FD03', kind: 'renamed', note: 'a column was renamed' },
  social_insurance: {
    rule: 'FD05',
    kind: 'cut_off',
    note: 'cut off at 55% of its bytes; control file tells the full row count',
  },
  housing_ownership: { rule: 'FD01', kind: 'missing', note: 'never arrived' },
};

/** The fault of a feed's delivery on a night; none before the last night, or when there are fewer than three. */
export function deliveryFault(county: County, feed: string, night: number): DeliveryFault | undefined {
  return county.nights >= 3 && night === county.nights ? FAULTS[feed] : undefined;
}

/** The columns of a renamed delivery: the document's number under a longer name. */
export function renamedColumns(columns: readonly string[]): string[] {
  return columns.map((name) => (name === '证件号码' ? '身份证件号' : name));
}

/** Whether the `count`-th row (from 1) stays in a snapshot that is shrunk to two fifths. */
export function staysInShrunken(count: number): boolean {
  return count % 5 === 1 || count % 5 === 3;
}

/**
 * Cuts a file off at 55 % of its bytes.
 *
 * @returns the sha256 of what is left
 */
export async function cutOff(path: string): Promise<string> {
  const { size } = await stat(path);
  await truncate(path, Math.floor(size * 0.55));
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  return hash.digest('hex');
}
