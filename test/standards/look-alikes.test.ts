import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lookAlikeRepresentative } from '../../src/schema/standards/look-alikes.ts';

const classes = readFileSync('src/schema/standards/data/look-alikes.txt', 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' '));

describe('look-alike classes', () => {
  it('have two to six characters each, and no character twice', () => {
    for (const members of classes) {
      expect(members.length, members.join('')).toBeGreaterThanOrEqual(2);
      expect(members.length, members.join('')).toBeLessThanOrEqual(6);
      for (const member of members) expect(Array.from(member)).toHaveLength(1);
    }
    const all = classes.flat();
    expect(all.filter((character, index) => all.indexOf(character) !== index)).toEqual([]);
  });

  it('are stood for by their first character', () => {
    expect(lookAlikeRepresentative('固')).toBe('国');
    expect(lookAlikeRepresentative('国')).toBe('国');
    expect(lookAlikeRepresentative('A')).toBe('A');
  });
});
