import { ageOf, type Block, type Person, type VillageEvent } from './population.ts';

/** What happened in this many days before the first night stands in the villages' reports. */
const DAYS_REPORTED = 200;
/** Shares of the deaths, the births and the people living elsewhere that a village reports. */
const SHARE_OF_DEATHS = 0.85;
const SHARE_OF_BIRTHS = 0.4;
const SHARE_OF_AWAY = 0.03;
/** Of people with a residence registration in force: gone, as only the village knows (rule MP08). */
const SHARE_LEFT = 0.008;
/** Well over the 31 days after which a report without a department's record is a case. */
const WELL_OVER_A_MONTH = 45;

/** Gives the persons of a block what their villages report of them: births, deaths, leaving. */
export function reportToVillages(block: Block): void {
  for (const person of block.persons) person.reported = eventOf(block, person);
}

function eventOf(block: Block, person: Person): VillageEvent | undefined {
  const { county, random } = block;
  const { birthRecord, death, household } = person;
  const since = county.firstDay - DAYS_REPORTED;
  if (death !== undefined) {
    const isReported =
      death.day > since && (death.unknown || (person.livesHere && random.chance(SHARE_OF_DEATHS)));
    return isReported ? { event: '死亡', day: death.day, destination: '' } : undefined;
  }
  if (birthRecord !== undefined && person.birth > since && household.standing !== 'migrant') {
    const isReported =
      !birthRecord.certified || (birthRecord.named && person.enters === 1 && random.chance(SHARE_OF_BIRTHS));
    return isReported ? { event: '出生', day: person.birth, destination: '' } : undefined;
  }
  if (ageOf(county, person) < 17 || person.enters > 1) return undefined;
  if (person.registered && !person.livesHere) {
    return random.chance(SHARE_OF_AWAY)
      ? departure(block, random.between(since + 1, county.firstDay - 2))
      : undefined;
  }
  return household.standing === 'migrant' ? leaving(block, person) : undefined;
}

/** Someone from elsewhere goes on, and nobody ends the residence registration. */
function leaving(block: Block, person: Person): VillageEvent | undefined {
  const { county, random } = block;
  const { residence } = person;
  const latest = county.firstDay - WELL_OVER_A_MONTH;
  if (person.exact || residence === undefined || residence.until < county.firstDay) return undefined;
  if (residence.since > latest - 30 || !random.chance(SHARE_LEFT)) return undefined;
  person.livesHere = false;
  person.exact = true;
  return departure(
    block,
    random.between(Math.max(residence.since + 20, county.firstDay - DAYS_REPORTED), latest),
  );
}

function departure({ county, random }: Block, day: number): VillageEvent {
  return { event: '外出', day, destination: random.pick(county.places.origins) };
}
