import type { Contract } from './contract.ts';
import type { Field } from './field.ts';

const SENSITIVITIES = {
  public: 'public 公开',
  internal: 'internal 内部',
  personal: 'personal 个人信息',
  sensitive: 'sensitive 敏感个人信息',
} as const;

/** The data dictionary as Markdown: every field of every contract, in both languages. */
export function dataDictionary(contracts: readonly Contract[]): string {
  return `# Data dictionary 数据字典

Written from the contracts in \`src/schema/contracts/\` by \`npm run generate\`; do not edit by hand.

Sensitivity: *public* may be shown to anyone; *internal* to the site's officers; *personal* tells something about
a person; *sensitive* (numbers of documents, telephones, addresses) leaves the server masked.

${contracts.map(section).join('\n\n')}
`;
}

function section(contract: Contract): string {
  const { feed, department, title, mode, key, mentions, fields } = contract;
  const rows = Object.entries(fields).map(([name, field]) => row(name, field));
  const roles = mentions.map(({ role, meaning }) => `${role} ${meaning.zh} (${meaning.en})`);
  return `## ${feed} ${title.zh}

${title.en}. Department: ${department}. Mode: ${mode}. Key: ${key.join(', ')}. Persons named: ${roles.join(', ')}.

| field | column | required | 含义 | meaning | codes | sensitivity | masking |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}`;
}

function row(name: string, field: Field): string {
  const { column, required, meaning, codes, sensitivity, masking } = field;
  const list =
    codes === null
      ? ''
      : Object.entries(codes)
          .map(([code, { zh }]) => (code === zh ? code : `${code} ${zh}`))
          .join(', ');
  return `| ${name} | ${column} | ${required ? 'yes' : ''} | ${meaning.zh} | ${meaning.en} | ${list} | ${SENSITIVITIES[sensitivity]} | ${masking} |`;
}
