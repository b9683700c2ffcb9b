import { sql } from 'kysely';
import { NAME_FORMS_VERSION, nameForms, namePattern } from '../schema/standards/names.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';

const BATCH = 10_000;

/**
 * Computes what names look and sound like, once for each distinct name.
 *
 * Before: any mentions. After: every name of a mention changed since `afterRun` has its row in
 * identity.name_form, of this version. The table is a cache of a pure function: it needs no fence.
 */
export async function completeNameForms(warehouse: Warehouse, afterRun: number): Promise<void> {
  await forgetOldVersion(warehouse);
  await warehouse.db.transaction().execute(async (tx) => {
    await sql`
      DECLARE missing_name CURSOR FOR
      SELECT DISTINCT m.name FROM identity.mention m
      WHERE m.changed_run > ${sql.lit(afterRun)} AND m.name IS NOT NULL
        AND NOT EXISTS (SELECT FROM identity.name_form f WHERE f.name = m.name)`.execute(tx);
    const takeNames = async (): Promise<void> => {
      for (;;) {
        const { rows } = await sql<{ name: string }>`FETCH ${sql.lit(BATCH)} FROM missing_name`.execute(tx);
        if (rows.length === 0) return;
        await storeForms(
          warehouse,
          rows.map(({ name }) => name),
        );
      }
    };
    // While the server stores the forms of one batch, those of the next are computed.
    await Promise.all([takeNames(), takeNames()]);
  });
}

/** All rows are of one version: the first one tells of which. */
async function forgetOldVersion({ db }: Warehouse): Promise<void> {
  const { rows } = await sql<{ version: number }>`SELECT version FROM identity.name_form LIMIT 1`.execute(db);
  if (rows[0] === undefined || rows[0].version === NAME_FORMS_VERSION) return;
  await sql`DELETE FROM identity.name_form`.execute(db);
}

/** Another run may store the same names at the same time: what is there already is the same. */
async function storeForms(warehouse: Warehouse, names: readonly string[]): Promise<void> {
  const forms = names.map((name) => ({ name, ...nameForms(name), pattern: namePattern(name) }));
  const column = (pick: (form: (typeof forms)[number]) => string | null): (string | null)[] =>
    forms.map(pick);
  await sql`
    INSERT INTO identity.name_form (name, version, surname, given_name, pinyin, shape, pattern)
    SELECT name, ${NAME_FORMS_VERSION}, surname, given_name, pinyin, shape, pattern
    FROM unnest(${column((form) => form.name)}::text[], ${column((form) => form.surname)}::text[],
                ${column((form) => form.givenName)}::text[], ${column((form) => form.pinyin)}::text[],
                ${column((form) => form.shape)}::text[], ${column((form) => form.pattern)}::text[])
         AS form (name, surname, given_name, pinyin, shape, pattern)
    ON CONFLICT (name) DO NOTHING`.execute(warehouse.db);
}
