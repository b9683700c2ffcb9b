import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { weightProbability } from '../model/weights.ts';
import type { LinkResult } from './link.ts';
import type { Input } from './read-inputs.ts';

/** Writes `input,row,cluster_id`, every record once, in the order of the inputs (INTERFACE: `link --output`). */
export async function writeClusters(file: string, result: LinkResult): Promise<void> {
  await writeLines(file, clusterLines(result));
}

/** Writes the pairs, heaviest first (INTERFACE: `link --pairs`). Weight in bits. */
export async function writePairs(file: string, result: LinkResult): Promise<void> {
  await writeLines(file, pairLines(result));
}

function* clusterLines({ inputs, clusterOf }: LinkResult): Generator<string> {
  yield 'input,row,cluster_id\n';
  for (const input of inputs) {
    const name = csvField(input.file);
    for (let row = 1; row <= input.rows; row++) yield `${name},${row},${clusterOf[input.before + row]}\n`;
  }
}

function* pairLines({ inputs, pairs }: LinkResult): Generator<string> {
  yield 'left_input,left_row,right_input,right_row,weight,probability\n';
  for (let at = 0; at < pairs.weight.length; at++) {
    const weight = pairs.weight[at] ?? 0;
    const sides = [pairs.left[at], pairs.right[at]].map((record = 0) => place(inputs, record));
    yield `${sides.join(',')},${weight.toFixed(4)},${weightProbability(weight).toPrecision(8)}\n`;
  }
}

function place(inputs: readonly Input[], record: number): string {
  const input = inputs.findLast(({ before }) => before < record);
  return `${csvField(input?.file ?? '')},${record - (input?.before ?? 0)}`;
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function writeLines(file: string, lines: Generator<string>): Promise<void> {
  function* blocks(): Generator<string> {
    let block = '';
    for (const line of lines) {
      block += line;
      if (block.length > 64 * 1024) {
        yield block;
        block = '';
      }
    }
    yield block;
  }
  await pipeline(Readable.from(blocks()), createWriteStream(file));
}
