// Loaded before everything else, by bin/popshare.js, when the environment names an OpenTelemetry collector
// (OTEL_EXPORTER_OTLP_ENDPOINT and its kin; the specification lists them): traces of requests and of statements.
// Statements are told as their text, in which values are placeholders; parameters are never told.
import { register } from 'node:module';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { NodeSDK } from '@opentelemetry/sdk-node';

process.env['OTEL_SERVICE_NAME'] ??= 'popshare';
// Not `process`: it tells the arguments of the command, in which there may be a name.
process.env['OTEL_NODE_RESOURCE_DETECTORS'] = 'env,host,os';

// Modules that are imported, rather than required, are instrumented by a hook of the loader.
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

const sdk = new NodeSDK({
  instrumentations: [
    new HttpInstrumentation(),
    new PgInstrumentation({ enhancedDatabaseReporting: false, requireParentSpan: false }),
  ],
});
sdk.start();
process.once('beforeExit', () => {
  sdk.shutdown().catch(() => {});
});
