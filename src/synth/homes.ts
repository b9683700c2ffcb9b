import type { Places, Village } from './places.ts';
import { type Random, WeightedTable } from './random.ts';

/** A street number in a village, two times in five with a flat. */
export function addressIn(village: Village, random: Random): string {
  const flat = random.chance(0.4) ? `${random.between(101, 2899)}室` : '';
  return `${village.address}${random.between(1, 399)}号${flat}`;
}

/** A village other than the given one, when the county has another. */
export function otherVillage(places: Places, village: Village, random: Random): Village {
  const table = villageTable(places);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const other = table.draw(random);
    if (other.code !== village.code) return other;
  }
  return village;
}

/** The code under which housing knows a dwelling. */
export function dwellingCode(places: Places, number: number): string {
  return `${places.county}F${String(number).padStart(8, '0')}`;
}

const villageTables = new WeakMap<Places, WeightedTable<Village>>();

/** The villages of a county by weight. */
export function villageTable(places: Places): WeightedTable<Village> {
  const known = villageTables.get(places);
  if (known !== undefined) return known;
  const table = new WeightedTable(
    places.villages.map((village): [Village, number] => [village, village.weight]),
  );
  villageTables.set(places, table);
  return table;
}
