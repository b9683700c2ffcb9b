import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { startEmbedded } from '../src/schema/warehouse/embedded.ts';

/**
 * Stops a benchmark's server and takes all of it away. Run by root, the server keeps its data elsewhere than in the
 * folder that it was given; its log tells where.
 */
export async function removeServer(
  server: Awaited<ReturnType<typeof startEmbedded>>,
  folder: string,
): Promise<void> {
  await server.stop();
  await rm(path.dirname(server.logFile), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}
