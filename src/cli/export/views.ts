import { escapeIdentifier, type PoolClient } from 'pg';

/** A column of a view. */
export interface Column {
  readonly name: string;
  /** As pg_type names it: `int8`, `timestamptz`. */
  readonly type: string;
  /** Of a numeric that has them. */
  readonly precision: number | null;
  readonly scale: number | null;
}

/** A view as the catalogue describes it. */
export interface View {
  readonly schema: string;
  readonly name: string;
  /** In the view's order. */
  readonly columns: readonly Column[];
}

/** The views of a schema that whoever asks may read, by name. */
export async function readableViews(reader: PoolClient, schema: string): Promise<View[]> {
  const { rows } = await reader.query<View>(
    `SELECT v.schemaname AS schema, v.viewname AS name,
            jsonb_agg(jsonb_build_object('name', c.column_name, 'type', c.udt_name, 'precision', c.numeric_precision,
                                         'scale', c.numeric_scale) ORDER BY c.ordinal_position) AS columns
     FROM pg_views v
     JOIN information_schema.columns c ON c.table_schema = v.schemaname AND c.table_name = v.viewname
     WHERE v.schemaname = $1 AND has_table_privilege(format('%I.%I', v.schemaname, v.viewname), 'SELECT')
     GROUP BY v.schemaname, v.viewname ORDER BY v.viewname`,
    [schema],
  );
  return rows;
}

/**
 * The statement that reads a view whole.
 *
 * @param expression what to read of a column, given its quoted name
 */
export function selectFrom(view: View, expression: (column: Column, name: string) => string): string {
  const columns = view.columns.map((column) => {
    const name = escapeIdentifier(column.name);
    return `${expression(column, name)} AS ${name}`;
  });
  return `SELECT ${columns.join(', ')} FROM ${escapeIdentifier(view.schema)}.${escapeIdentifier(view.name)}`;
}
