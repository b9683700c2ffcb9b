import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach } from 'vitest';
import { type EmbeddedServer, startEmbedded } from '../../src/schema/warehouse/embedded.ts';

export const root = process.getuid?.() === 0;
export const project = fileURLToPath(new URL('../..', import.meta.url));

const SETTINGS = { fsync: 'off', shared_buffers: '16MB' };

/** A fresh folder for each test, and what runs on it; all of it ends with the test. */
class Site {
  base = '';
  folder = '';
  servers: EmbeddedServer[] = [];
  children: ChildProcess[] = [];

  async open(): Promise<void> {
    this.base = await mkdtemp(join(tmpdir(), 'popshare-embedded-'));
    await chmod(this.base, 0o755);
    this.folder = join(this.base, 'postgres');
    this.servers = [];
    this.children = [];
  }

  async close(): Promise<void> {
    for (const child of this.children) await kill(child);
    for (const server of this.servers) await server.stop();
    // A server that only children used is taken over, and stopped.
    if (await this.serverIsLeft()) await (await this.start()).stop();
    const home = await this.home();
    if (home !== this.folder) await rm(home, { recursive: true, force: true });
    await rm(this.base, { recursive: true, force: true });
  }

  async start(options: { settings?: Record<string, string> } = {}): Promise<EmbeddedServer> {
    const settings = { ...SETTINGS, ...options.settings };
    const server = await startEmbedded({ folder: this.folder, settings });
    this.servers.push(server);
    return server;
  }

  /** A process that starts the server and says its URL, and stops it and says so when it is told a line. */
  use(options: { source?: string; cwd?: string; uid?: number; gid?: number } = {}): {
    child: ChildProcess;
    next(): Promise<string>;
  } {
    const { source = project, ...as } = options;
    const script = `
      const { startEmbedded } = await import('${moduleUrl(source, 'embedded.ts')}');
      try {
        const server = await startEmbedded(${JSON.stringify({ folder: this.folder, settings: SETTINGS })});
        console.log(server.url);
        process.stdin.once('data', async () => {
          await server.stop();
          console.log('stopped');
          process.exit();
        });
      } catch (error) {
        console.log(error.code + ': ' + error.message);
        process.exit(1);
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      ...as,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.children.push(child);
    if (child.stdout === null) throw new Error('the process has no output');
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return { child, next: async () => String((await lines.next()).value) };
  }

  /** Where the server lives: the folder, or what its file `location` names. */
  async home(): Promise<string> {
    const location = await readFile(join(this.folder, 'location'), 'utf8').catch(() => undefined);
    return location?.split('\n')[0] ?? this.folder;
  }

  /** The postmaster's process number, from the server's own record. */
  async postmaster(): Promise<number> {
    const text = await readFile(join(await this.home(), 'data', 'postmaster.pid'), 'utf8');
    return Number(text.split('\n')[0]);
  }

  async serverIsLeft(): Promise<boolean> {
    return this.postmaster().then(
      () => true,
      () => false,
    );
  }
}

/** Registers the making and the ending of a site with the tests of the file. */
export function makeSite(): Site {
  const site = new Site();
  beforeEach(() => site.open());
  afterEach(() => site.close());
  return site;
}

/** Ends a process at once, as a crash does. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

export function moduleUrl(source: string, name: string): string {
  return pathToFileURL(join(source, 'src/schema/warehouse', name)).href;
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
