#!/usr/bin/env -S node --max-old-space-size=256
// The heap is kept small on purpose: rows stream through it, and V8 would otherwise let garbage pile up.
// Runs the command line under the Node that the project pins: the sources are TypeScript, which older Nodes
// cannot run as they are.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0] = process.versions.node.split('.').map(Number);
const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const telemetry = new URL('../src/cli/telemetry.ts', import.meta.url).href;
const isTraced = Object.keys(process.env).some((name) =>
  /^OTEL_EXPORTER_OTLP_(TRACES_)?ENDPOINT$/.test(name),
);
const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

if (major >= 24) {
  if (isTraced) await import(telemetry);
  await import(cli);
} else if (existsSync(pinned)) {
  const first = isTraced ? ['--import', telemetry] : [];
  const child = spawn(pinned, ['--max-old-space-size=256', ...first, cli, ...process.argv.slice(2)], {
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
