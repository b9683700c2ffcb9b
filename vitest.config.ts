import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { folderInMemory } from './test/support/memory.ts';

// A file has a process of its own, which would compile the packages anew.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/popshare', import.meta.url));
// A night makes and drops hundreds of tables, and each is a file.
const memory = folderInMemory();
if (memory !== undefined) process.env['TMPDIR'] ??= memory;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    env: { LOG_LEVEL: 'silent' },
    globalSetup: ['test/support/server.ts'],
    setupFiles: ['test/support/seed.ts'],
    // Of two cores, one would wait whenever a file waits for the server: each file has a database of its own there.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
