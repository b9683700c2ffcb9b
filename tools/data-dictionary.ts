// Writes docs/data-dictionary.md from the contracts, or, with --verify, fails when it differs.
import { readFile, writeFile } from 'node:fs/promises';
import { dataDictionary } from '../src/schema/contracts/data-dictionary.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';

const OUT = 'docs/data-dictionary.md';
const text = dataDictionary(CONTRACTS);
if (!process.argv.includes('--verify')) {
  await writeFile(OUT, text);
} else if ((await readFile(OUT, 'utf8')) !== text) {
  process.stderr.write(`${OUT} differs from the contracts: run \`npm run generate\`.\n`);
  process.exitCode = 1;
}
