// Writes docs/errors.md from the error registry, or, with --verify, fails when it differs.
import { readFile, writeFile } from 'node:fs/promises';
import { ERROR_REGISTRY } from '../src/schema/errors.ts';

const OUT = 'docs/errors.md';
const rows = Object.entries<{ exit: number; status?: number; todo: string }>(ERROR_REGISTRY).map(
  ([code, { exit, status, todo }]) => `| \`${code}\` | ${exit} | ${status ?? ''} | ${todo} |`,
);
const text = `# Errors 错误代码

Written from \`src/schema/errors.ts\` by \`npm run generate\`; do not edit by hand.

A command that fails prints \`CODE: what happened and where\` on stderr and, on the next line, what to do. It leaves
with the exit code of the table: 1 failed, 2 wrong usage or configuration. (0 is done; 3 is done, and deliveries are
held.) What is wrong with a delivery or a row does not end a command: the delivery is held, the row rejected, and the
reason stands in the ledger: \`npx popshare deliveries show ID\`, \`npx popshare rejects list\`.

The API answers with a problem (RFC 9457): \`code\`, \`detail\` (what happened and where), \`todo\`, and the HTTP status
of the table; where there is none, the failure is not the caller's, and the status is 500.

| code | exit | HTTP | what to do |
|---|---|---|---|
${rows.join('\n')}
`;
if (!process.argv.includes('--verify')) {
  await writeFile(OUT, text);
} else if ((await readFile(OUT, 'utf8')) !== text) {
  process.stderr.write(`${OUT} differs from the error registry: run \`npm run generate\`.\n`);
  process.exitCode = 1;
}
