import type { Household, Person } from './population.ts';

/** Mother and father of a son or daughter of the household: its head and the head's spouse. */
export function parentsOf(child: Person): { mother: Person | undefined; father: Person | undefined } {
  if (child.relation !== '20' && child.relation !== '30') return { mother: undefined, father: undefined };
  return { mother: coupleMember(child.household, 2), father: coupleMember(child.household, 1) };
}

function coupleMember({ members }: Household, sex: 1 | 2): Person | undefined {
  return members.find(
    (person) => person.sex === sex && (person.relation === '02' || person.relation === '10'),
  );
}

/** Who answers for a child: the mother as a rule, else the father, else the eldest of the household. */
export function guardianOf(child: Person): Person {
  const { mother, father } = parentsOf(child);
  const living = [mother, father].find((parent) => parent !== undefined && parent.death === undefined);
  const eldest = child.household.members.toSorted((one, other) => one.birth - other.birth)[0];
  return living ?? mother ?? father ?? eldest ?? child;
}
