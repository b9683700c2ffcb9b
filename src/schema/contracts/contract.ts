import { z } from 'zod';
import type { Field, Meaning } from './field.ts';

/**
 * Which fields of a record tell something about the person that it names in one role.
 * `idNumber` and `name` make the mention; the others help to compare it. A role of which the contract requires the
 * number, the name, the sex or the date of birth names somebody in every record, also when the name is empty.
 */
export interface MentionRole {
  readonly role: string;
  readonly meaning: Meaning;
  /** Absent where the department cannot know one: a newborn has no number. */
  readonly idNumber?: string;
  readonly name: string;
  readonly sex?: string;
  /** The sex that the role itself tells (GB/T 2261.1), where the record has no field for it. */
  readonly sexOfRole?: '1' | '2';
  readonly birthDate?: string;
  readonly phone?: string;
  /** The place where the record puts the person: a 12-digit division code. */
  readonly division?: string;
  /** Where the person is registered, when the record tells that beside where they live. */
  readonly registeredDivision?: string;
  /** The address at which the record puts the person. */
  readonly address?: string;
  readonly dwelling?: string;
  readonly household?: string;
  /** A dwelling that the record says the person owns or lets, whoever lives there. */
  readonly property?: string;
  /** The department's own number of the person, the same in several records of the feed. */
  readonly sourcePerson?: string;
  /** The roles of the same record in which it names members of the person's family. */
  readonly kin?: readonly string[];
}

/**
 * What the rows of a feed must be. From it come the registry table, the mentions, the masking and the
 * data dictionary; nothing else knows the columns of a feed.
 */
export interface Contract {
  readonly feed: string;
  readonly department: string;
  readonly title: Meaning;
  /** snapshot: all rows that exist, absence means removed. incremental: rows new or changed since the last. */
  readonly mode: 'snapshot' | 'incremental';
  readonly fields: Readonly<Record<string, Field>>;
  /** Fields whose values, joined by `|`, are the source key. */
  readonly key: readonly string[];
  /** The field with the source's own time of change, if it has one. */
  readonly updatedAt: string | null;
  readonly mentions: readonly MentionRole[];
  /** Sets of fields that rules look records up by; each becomes an index of the records that give them all. */
  readonly lookups: readonly (readonly string[])[];
  readonly schema: z.ZodObject<Record<string, Field['schema']>>;
}

type Declaration = Omit<Contract, 'schema' | 'lookups'> & { lookups?: Contract['lookups'] };

/**
 * Declares a contract, checking that key, roles and lookups name fields that exist (a wrong declaration is
 * a defect, so it throws a plain Error at import).
 */
export function defineContract(declaration: Declaration): Contract {
  const roleFields = declaration.mentions.flatMap(
    ({ role: _role, meaning: _meaning, sexOfRole: _sexOfRole, kin: _kin, ...fields }) =>
      Object.values(fields),
  );
  const named = [
    ...declaration.key,
    ...(declaration.updatedAt === null ? [] : [declaration.updatedAt]),
    ...roleFields,
    ...(declaration.lookups ?? []).flat(),
  ];
  for (const name of named) {
    if (!Object.hasOwn(declaration.fields, name)) {
      throw new Error(`contract ${declaration.feed}: no field is called ${name}`);
    }
  }
  const roles = new Set(declaration.mentions.map(({ role }) => role));
  for (const role of declaration.mentions.flatMap(({ kin }) => kin ?? [])) {
    if (!roles.has(role)) throw new Error(`contract ${declaration.feed}: no role is called ${role}`);
  }
  for (const name of declaration.key) {
    if (!declaration.fields[name]?.required) {
      throw new Error(`contract ${declaration.feed}: key field ${name} must be required`);
    }
  }
  const shape = Object.fromEntries(
    Object.entries(declaration.fields).map(([name, field]) => [name, field.schema]),
  );
  return { lookups: [], ...declaration, schema: z.object(shape) };
}
