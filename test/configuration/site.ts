import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** A copy of the shipped configuration for each test, to be spoilt. */
class SpoiltConfiguration {
  folder = '';

  async open(): Promise<void> {
    this.folder = await mkdtemp(path.join(tmpdir(), 'popshare-configuration-'));
    await cp('config', this.folder, { recursive: true });
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }

  /** The whole path of a file. */
  file(name: string): string {
    return path.join(this.folder, name);
  }

  /** Replaces text of a file; the number of the first line that it stood on. */
  async replace(name: string, text: string, by: string): Promise<number> {
    const source = await readFile(this.file(name), 'utf8');
    const at = source.indexOf(text);
    if (at === -1) throw new Error(`${name} has no ${text}`);
    await writeFile(this.file(name), source.slice(0, at) + by + source.slice(at + text.length));
    return source.slice(0, at).split('\n').length;
  }
}

export function useConfiguration(): SpoiltConfiguration {
  const configuration = new SpoiltConfiguration();
  beforeEach(() => configuration.open());
  afterEach(() => configuration.close());
  return configuration;
}
