import type { z } from 'zod';
import type { Binding } from '../schema/configuration/binding.ts';
import type { Contract } from '../schema/contracts/contract.ts';
import type { RawRow } from './decode/decode.ts';

/** A row that the contract takes: its source key and its values in the order of the contract's fields. */
export interface AcceptedRow {
  readonly line: number;
  readonly sourceKey: string;
  readonly record: Readonly<Record<string, string | null>>;
}

/** A row that the contract refuses, whole, with the first reason; `message` tells all of them. */
export interface RejectedRow {
  readonly line: number;
  readonly sourceKey: string | null;
  readonly field: string | null;
  readonly code: string;
  readonly message: string;
  readonly fields: readonly string[];
}

export type Verdict = { accepted: AcceptedRow } | { rejected: RejectedRow };

/** The source columns that the binding needs and the header does not have, and those that nobody asked for. */
export interface HeaderCheck {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

export function checkHeader(binding: Binding, header: readonly string[]): HeaderCheck {
  const bound = Object.values(binding.columns);
  return {
    missing: bound.filter((column) => !header.includes(column)),
    extra: header.filter((column) => !bound.includes(column)),
  };
}

/**
 * Makes the function that judges rows under a header.
 *
 * @param header the source's column names, in the order of the rows' fields
 */
export function rowJudge(binding: Binding, header: readonly string[]): (row: RawRow) => Verdict {
  const { contract } = binding;
  const positions = Object.entries(binding.columns).map(([field, column]) => ({
    field,
    at: header.indexOf(column),
  }));
  const unbound = Object.keys(contract.fields).filter((field) => !Object.hasOwn(binding.columns, field));

  return (row) => {
    const given: Record<string, string> = {};
    for (const { field, at } of positions) given[field] = row.fields[at] ?? '';
    for (const field of unbound) given[field] = '';
    if (row.problem !== null) {
      return {
        rejected: {
          ...whole(contract, row, given),
          field: null,
          code: row.problem.code,
          message: row.problem.message,
        },
      };
    }
    const result = contract.schema.safeParse(given);
    if (!result.success) {
      return { rejected: { ...whole(contract, row, given), ...reasonOf(result.error, binding) } };
    }
    return { accepted: { line: row.line, sourceKey: keyOf(contract, result.data), record: result.data } };
  };
}

function whole(
  contract: Contract,
  row: RawRow,
  given: Record<string, string>,
): Pick<RejectedRow, 'line' | 'sourceKey' | 'fields'> {
  const parts = contract.key.map((field) => {
    const text = given[field]?.trim() ?? '';
    // As an accepted row would have it; a part that is refused is kept as it came.
    const read = contract.fields[field]?.schema.safeParse(text);
    return read?.success ? (read.data ?? '') : text;
  });
  const readable = parts.every((part) => part !== '' && part.isWellFormed() && !part.includes('\0'));
  return { line: row.line, sourceKey: readable ? parts.join('|') : null, fields: row.fields };
}

function keyOf(contract: Contract, record: Record<string, string | null>): string {
  return contract.key.map((field) => record[field] ?? '').join('|');
}

/** The contract's complaints in the words of the source: its column names, never its values. */
function reasonOf(error: z.ZodError, binding: Binding): Pick<RejectedRow, 'field' | 'code' | 'message'> {
  const reasons = error.issues.map((issue) => {
    const field = String(issue.path[0]);
    const column = binding.columns[field] ?? field;
    const code = issue.code === 'custom' ? String(issue.params?.['refusal']) : issue.code.toUpperCase();
    return { field: column, code, message: `${column}：${issue.message}` };
  });
  const [first] = reasons;
  return {
    field: first?.field ?? null,
    code: first?.code ?? 'INVALID',
    message: reasons.map(({ message }) => message).join('；'),
  };
}
