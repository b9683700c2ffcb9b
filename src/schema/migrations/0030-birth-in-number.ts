import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { birthUnlessKind, createFeature, RELATIONS } from './0016-relations.ts';

/** 111111111111111111 stands for no number: it says nothing of when somebody was born. */
async function up(db: Kysely<unknown>): Promise<void> {
  await createFeature(db, birthUnlessKind("'impossible_birth', 'placeholder'"), RELATIONS);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await createFeature(db, birthUnlessKind("'impossible_birth'"), RELATIONS);
}

export const birthInNumber: Migration = { up, down };
