import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { CONTRACTS } from '../contracts/index.ts';
import { PopshareError } from '../errors.ts';
import { type Binding, bindingFor } from './binding.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { readYamlFile } from './yaml-file.ts';

/** What a site changes without touching code. Rules and models are read by the rooms that use them. */
export interface Configuration {
  readonly folder: string;
  readonly settings: Settings;
  /** One per feed, in the order of the contracts, whatever the files are called. */
  readonly bindings: readonly Binding[];
}

/**
 * Reads popshare.yaml and feeds/*.yaml.
 *
 * @param folder the configuration folder (POPSHARE_CONFIG)
 * @throws CONFIG_NOT_FOUND, CONFIG_INVALID (file, line, what was expected)
 */
export async function loadConfiguration(folder: string): Promise<Configuration> {
  const settings = await readYamlFile(path.join(folder, 'popshare.yaml'), settingsSchema);
  const schema = bindingFor(CONTRACTS);
  const byFeed = new Map<string, Binding>();
  for (const file of await filesIn(path.join(folder, 'feeds'), '.yaml')) {
    const binding = await readYamlFile(file, schema);
    if (byFeed.has(binding.feed))
      throw new PopshareError('CONFIG_INVALID', `${file}:1: ${binding.feed} is bound by another file too`);
    if (!Object.hasOwn(settings.departments, binding.contract.department)) {
      throw new PopshareError(
        'CONFIG_INVALID',
        `${file}:1: popshare.yaml names no department ${binding.contract.department}`,
      );
    }
    byFeed.set(binding.feed, binding);
  }
  const bindings = CONTRACTS.flatMap(({ feed }) => byFeed.get(feed) ?? []);
  return { folder, settings, bindings };
}

/**
 * The files of a folder with one ending, in the order of their names.
 *
 * @throws CONFIG_NOT_FOUND when the folder cannot be read
 */
export async function filesIn(folder: string, ending: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new PopshareError('CONFIG_NOT_FOUND', `${folder} cannot be read`, { cause: error });
  });
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => path.join(folder, name));
}
