import { type Model, modelSchema } from '../../../src/identity/model/model-file.ts';
import { parseYaml } from '../../../src/schema/configuration/yaml-file.ts';

const DEFAULTS = `
model: test
version: 1
columns: { surname: text, town: text }
blocking: [{ name: surname, keys: [r.surname] }]
thresholds: { join: 5, split: 0 }
`;

/** A model of the columns surname and town, with what the text adds to it or says otherwise at its top level. */
export function model(text: string): Model {
  const replaced = [...text.matchAll(/^(\w+):/gm)].map(([, key]) => key);
  const kept = DEFAULTS.split('\n').filter((line) => !replaced.includes(line.split(':')[0] ?? ''));
  return parseYaml(`${kept.join('\n')}\n${text}`, modelSchema, 'test.yaml');
}
