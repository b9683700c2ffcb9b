/** A linear equation: the sum of these unknowns is known. */
export type Equation = ReadonlyMap<string, number>;

const EPSILON = 1e-9;

/** The unknowns whose value follows from the equations alone, by elimination. */
export function derivable(equations: readonly Equation[]): string[] {
  const unknowns = [...new Set(equations.flatMap((equation) => [...equation.keys()]))];
  const rows = equations.map((equation) => unknowns.map((name) => equation.get(name) ?? 0));
  let rank = 0;
  for (let column = 0; column < unknowns.length; column++) {
    const found = rows.findIndex((row, at) => at >= rank && Math.abs(row[column] ?? 0) > EPSILON);
    const pivot = rows[found];
    const other = rows[rank];
    if (pivot === undefined || other === undefined) continue;
    rows[found] = other;
    rows[rank] = pivot;
    const lead = pivot[column] ?? 1;
    for (const [at, row] of rows.entries()) {
      const factor = (row[column] ?? 0) / lead;
      if (at !== rank && Math.abs(factor) > EPSILON)
        rows[at] = row.map((value, index) => value - factor * (pivot[index] ?? 0));
    }
    rank++;
  }
  return rows.flatMap((row) => {
    const left = unknowns.filter((_name, at) => Math.abs(row[at] ?? 0) > EPSILON);
    return left.length === 1 ? left : [];
  });
}
