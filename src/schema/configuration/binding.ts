import { z } from 'zod';
import type { Contract } from '../contracts/contract.ts';

const FORMATS = ['csv', 'xlsx', 'jsonl'] as const;
const ENCODINGS = ['utf-8', 'gb18030', 'gbk', 'auto'] as const;

/** `feeds/<feed>.yaml`: how this site delivers one feed. */
export const bindingSchema = z.strictObject({
  feed: z.string(),
  connector: z.literal('file-drop'),
  format: z.enum(FORMATS),
  delimiter: z.string().length(1, 'expected one character').default(','),
  encoding: z.enum(ENCODINGS).default('auto'),
  control: z.enum(['required', 'optional']).default('required'),
  cut_off: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day HH:mm, in quotes'),
  columns: z.record(z.string(), z.string().min(1)),
});

type BindingFile = z.output<typeof bindingSchema>;

/** A binding with the contract that it delivers. */
export interface Binding extends BindingFile {
  readonly contract: Contract;
}

/**
 * The binding's schema with its contract at hand, so that a column that is unknown, forgotten or named twice
 * is refused at its line.
 */
export function bindingFor(contracts: readonly Contract[]): z.ZodType<Binding> {
  return bindingSchema.transform((file, context) => {
    const contract = contracts.find(({ feed }) => feed === file.feed);
    if (contract === undefined) {
      const known = contracts.map(({ feed }) => feed).join(', ');
      context.addIssue({
        code: 'custom',
        path: ['feed'],
        message: `no contract is called ${file.feed}; expected one of ${known}`,
      });
      return z.NEVER;
    }
    for (const complaint of complaintsAboutColumns(file.columns, contract)) {
      context.addIssue({ code: 'custom', path: ['columns', ...complaint.at], message: complaint.message });
    }
    return { ...file, contract };
  });
}

function complaintsAboutColumns(
  columns: Readonly<Record<string, string>>,
  contract: Contract,
): { at: string[]; message: string }[] {
  const fields = Object.keys(contract.fields);
  const sources = Object.values(columns);
  return [
    ...Object.keys(columns)
      .filter((name) => !fields.includes(name))
      .map((name) => ({
        at: [name],
        message: `the contract has no field ${name}; expected one of ${fields.join(', ')}`,
      })),
    ...fields
      .filter((name) => contract.fields[name]?.required && !Object.hasOwn(columns, name))
      .map((name) => ({ at: [], message: `expected a source column for the required field ${name}` })),
    ...Object.entries(columns)
      .filter(([, source], index) => sources.indexOf(source) !== index)
      .map(([name, source]) => ({ at: [name], message: `the source column ${source} is bound twice` })),
  ];
}
