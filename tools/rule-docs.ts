// Writes docs/rules.md from the headers of the rules, or, with --verify, fails when it differs.
import { readFile, writeFile } from 'node:fs/promises';
import { loadRules, type Rule } from '../src/anomalies/rule-file.ts';

const OUT = 'docs/rules.md';
const FAMILIES: Readonly<Record<string, string>> = {
  DQ: '一条记录本身 A record by itself',
  ID: '部门之间对同一人的矛盾 Departments contradict each other about a person',
  MP: '居住 Where people live',
  FD: '批次 A delivery',
  ST: '区划与期间 A division and a period',
};

/** A cell of a Markdown table. */
const cell = (text: string): string => text.trim().replaceAll('\n', ' ').replaceAll('|', '\\|');

function rowOf({
  rule,
  title,
  severity,
  owner,
  evaluates,
  parameters,
  definition,
  resolved_by,
}: Rule): string {
  const limits = Object.entries(parameters).map(([name, value]) => `\`${name}\` ${value}`);
  const cells = [
    rule,
    `${title.zh}<br>${title.en}`,
    severity,
    owner,
    definition,
    limits.join(', '),
    evaluates,
    resolved_by,
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

const rules = await loadRules('config/rules');
const sections = Object.entries(FAMILIES).map(([family, meaning]) => {
  const rows = rules.filter(({ rule }) => rule.startsWith(family)).map(rowOf);
  return `## ${family}: ${meaning}

| rule | name | severity | owner | finds | parameters | looks at | resolved by |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
});
const text = `# Rules 疑点规则

Written from the headers of \`config/rules/*.sql\` by \`npm run generate\`; do not edit by hand.

Every finding is a question for a human, with its evidence; nothing here says that anyone did wrong. *Owner*: the
department that can mend it; \`source\` is the department that sent the record. *Severity* \`info\` is counted, not
queued. *Looks at*: \`changed mentions\` are judged once, when they change; \`changed persons\` are those of whom
anything changed, or whose day has come, or who are compared with one of them; \`changed relations\` are these and who
stands in one record, or shares a household, with one of them; \`everything\` is judged anew every night. On the first night, and when the file of a rule has changed, each looks at everything.

${sections.join('\n')}`;
if (!process.argv.includes('--verify')) {
  await writeFile(OUT, text);
} else if ((await readFile(OUT, 'utf8')) !== text) {
  process.stderr.write(`${OUT} differs from the rules: run \`npm run generate\`.\n`);
  process.exitCode = 1;
}
