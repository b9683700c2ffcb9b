import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// For the workers, and what they start: a file has a process of its own, and each would compile the packages anew.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/popshare', import.meta.url));

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    env: { LOG_LEVEL: 'silent' },
    globalSetup: ['test/support/server.ts'],
    // Two test files at a time: each has a database of its own on the one test server.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
