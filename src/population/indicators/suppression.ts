/** The figures of one block (indicators that are shown together) in one division. */
export interface Cell {
  /** 12 digits. */
  readonly division: string;
  /** Numbers of persons that can be read from the figures; each adds up over divisions. */
  readonly parts: Readonly<Record<string, number>>;
  /** Not to be shown for another reason. */
  readonly hidden: boolean;
}

/**
 * Which divisions' figures may not be shown, so that no number of persons under `least` can be read or computed.
 *
 * A division is hidden when one of its parts is under `least` (none at all included), or with it everything below it.
 * Within a division that is shown, at least two of the divisions below are hidden or none is, and together they have
 * `least` persons of every part: what is hidden is not what is left when the others are taken away. When the smallest
 * ones do not suffice, the division above is hidden as well.
 *
 * @param least the smallest number of persons that is shown
 * @returns the hidden divisions, in the order of the cells
 */
export function hiddenDivisions(cells: readonly Cell[], least: number): string[] {
  const children = childrenOf(cells);
  const hidden = new Set<string>();
  const hide = (division: string): void => {
    hidden.add(division);
    for (const { division: below } of children.get(division) ?? []) hide(below);
  };
  for (const { division, parts, hidden: given } of cells)
    if (given || Object.values(parts).some((persons) => persons < least)) hide(division);

  // Villages before townships: what a township hides of its villages it hides by itself.
  const parents = cells.filter(({ division }) => children.has(division)).toSorted(byLevel);
  for (const { division } of parents) {
    if (hidden.has(division)) continue;
    const below = children.get(division) ?? [];
    const waiting = below.filter((cell) => !hidden.has(cell.division)).toSorted(bySize);
    while (!isSafe(below, hidden, least)) {
      const next = waiting.shift();
      if (next === undefined) {
        if (below.length < 2) hide(division);
        break;
      }
      hide(next.division);
    }
  }
  return cells.map(({ division }) => division).filter((division) => hidden.has(division));
}

/** Nothing is hidden, or at least two with enough persons together. */
function isSafe(siblings: readonly Cell[], hidden: ReadonlySet<string>, least: number): boolean {
  const out = siblings.filter(({ division }) => hidden.has(division));
  if (out.length === 0) return true;
  if (out.length === 1) return false;
  const sums = new Map<string, number>();
  for (const { parts } of out)
    for (const [part, persons] of Object.entries(parts)) sums.set(part, (sums.get(part) ?? 0) + persons);
  return [...sums.values()].every((persons) => persons >= least);
}

function childrenOf(cells: readonly Cell[]): Map<string, Cell[]> {
  const known = new Set(cells.map(({ division }) => division));
  const children = new Map<string, Cell[]>();
  for (const cell of cells) {
    const parent = parentOf(cell.division);
    if (parent !== null && known.has(parent)) children.set(parent, [...(children.get(parent) ?? []), cell]);
  }
  return children;
}

/** The township of a village, the county of a township, nothing above that. */
function parentOf(division: string): string | null {
  const township = `${division.slice(0, 9)}000`;
  if (division !== township) return township;
  const county = `${division.slice(0, 6)}000000`;
  return division === county ? null : county;
}

const isCounty = ({ division }: Cell): boolean => parentOf(division) === null;

const byLevel = (left: Cell, right: Cell): number => Number(isCounty(left)) - Number(isCounty(right));

const sizeOf = ({ parts }: Cell): number => Object.values(parts).reduce((sum, persons) => sum + persons, 0);

const bySize = (left: Cell, right: Cell): number =>
  sizeOf(left) - sizeOf(right) || (left.division < right.division ? -1 : 1);
