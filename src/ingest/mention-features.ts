import type { Contract, MentionRole } from '../schema/contracts/contract.ts';
import { normaliseAddress } from '../schema/standards/addresses.ts';
import { parseIdNumber } from '../schema/standards/identity-number.ts';
import { normaliseName } from '../schema/standards/names.ts';
import { normalisePhone } from '../schema/standards/phones.ts';
import { isPlaceholderName } from '../schema/standards/placeholders.ts';

/** What is computed for a mention beside the record's own columns. */
export const MENTION_FEATURES = ['id_kind', 'id_number', 'name', 'phone', 'address'] as const;

/** The column of a stage table that carries a feature of a role; two underscores, which no field name has. */
export function featureColumn(role: MentionRole, feature: (typeof MENTION_FEATURES)[number]): string {
  return `${role.role}__${feature}`;
}

/** The stage columns of all features of a contract, in the order in which {@link appendMentionFeatures} gives them. */
export function featureColumns(contract: Contract): string[] {
  return contract.mentions.flatMap((role) => MENTION_FEATURES.map((feature) => featureColumn(role, feature)));
}

/**
 * Appends the features of every person that a record names: the kind of the document number, the number to
 * link by (18 characters; null when it identifies nobody), the name in its normal form (null for a placeholder:
 * it names nobody), the phone, the address.
 */
export function appendMentionFeatures(
  contract: Contract,
  record: Readonly<Record<string, string | null>>,
  values: (string | null)[],
): void {
  for (const role of contract.mentions) {
    const id = parseIdNumber(role.idNumber === undefined ? null : (record[role.idNumber] ?? null));
    const name = record[role.name] ?? null;
    const address = role.address === undefined ? null : (record[role.address] ?? null);
    const phone = role.phone === undefined ? null : (record[role.phone] ?? null);
    values.push(
      id.kind,
      id.canonical,
      name === null || isPlaceholderName(name) ? null : normaliseName(name).name,
      phone === null ? null : normalisePhone(phone).phone,
      address === null ? null : normaliseAddress(address),
    );
  }
}
