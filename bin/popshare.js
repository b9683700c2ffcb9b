#!/usr/bin/env -S node --max-old-space-size=256
// The heap is kept small on purpose: rows stream through it, and V8 would otherwise let garbage pile up.
// Runs the command line under the Node that the project pins: the sources are TypeScript, which older Nodes
// cannot run as they are.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

const [major = 0] = process.versions.node.split('.').map(Number);
const isTraced = Object.keys(process.env).some((name) =>
  /^OTEL_EXPORTER_OTLP_(TRACES_)?ENDPOINT$/.test(name),
);
const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

if (major >= 24) {
  // What is compiled once is kept, where only those may write who may write the programs; if nobody may, nothing is.
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/popshare', import.meta.url)));
  if (isTraced) await import('../src/cli/telemetry.ts');
  await import('../src/cli.ts');
} else if (existsSync(pinned)) {
  const itself = fileURLToPath(import.meta.url);
  const child = spawn(pinned, ['--max-old-space-size=256', itself, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to both of us: passing it on would be a second one, and end the child out of order.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
} else {
  process.stderr.write('popshare needs Node 24: run `npm ci` first, which brings it along.\n');
  process.exit(2);
}
