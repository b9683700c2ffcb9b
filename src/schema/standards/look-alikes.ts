import { readFileSync } from 'node:fs';

const REPRESENTATIVES = readRepresentatives();

/**
 * The character that stands for the look-alike class (形近字) of a character, which is the character itself
 * when it is in no class of `data/look-alikes.txt`.
 */
export function lookAlikeRepresentative(character: string): string {
  return REPRESENTATIVES.get(character) ?? character;
}

function readRepresentatives(): Map<string, string> {
  const text = readFileSync(new URL('./data/look-alikes.txt', import.meta.url), 'utf8');
  const representatives = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    for (const character of line.split(' ')) representatives.set(character, line.slice(0, line.indexOf(' ')));
  }
  return representatives;
}
