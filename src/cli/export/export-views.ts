import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import type { PoolClient } from 'pg';
import { PopshareError } from '../../schema/errors.ts';
import { failureOf } from '../../schema/failure.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Warehouse } from '../../schema/warehouse/connect.ts';
import { watermarkOf } from '../../server/watermark.ts';
import { writeCsv } from './csv.ts';
import { type Manifest, putInPlace, requireOwn } from './manifest.ts';
import { writeParquet } from './parquet.ts';
import { readableViews, type View } from './views.ts';

const READER = 'popshare_reader';

/** What to export, for whom, and where to. */
export interface ExportOrder {
  readonly schema: 'reporting';
  readonly format: Manifest['format'];
  /** A folder that exists. */
  readonly folder: string;
  readonly user: string;
  /** Told of each view that has been read. */
  readonly told: (view: string, rows: number) => void;
}

/**
 * Writes the views that dashboards read as files, one a view, as the dashboards' role sees them: all as of one moment,
 * with few rows in memory. Files come to their place when all of them are whole, and the export is in the audit log.
 *
 * @throws OUTPUT_EXISTS before anything is read; READER_ROLE; whatever the database throws, and nothing has changed then
 */
export async function exportViews(warehouse: Warehouse, order: ExportOrder): Promise<Manifest> {
  const { schema, format, folder, user } = order;
  const made = await mkdtemp(path.join(folder, '.export-'));
  try {
    const manifest = await asReader(warehouse, async (reader) => {
      const moment = await momentOf(reader);
      const watermark = watermarkOf({ name: user }, null, moment.at);
      const views = await readableViews(reader, schema);
      await requireOwn(
        folder,
        order,
        views.map((view) => fileOf(view, format)),
      );
      const files: Manifest['files'] = [];
      for (const view of views) {
        const file = fileOf(view, format);
        const rows = await writeView(reader, view, path.join(made, file), format, watermark);
        files.push({ view: view.name, file, rows });
        order.told(`${schema}.${view.name}`, rows);
      }
      return {
        watermark,
        schema,
        format,
        exported_by: user,
        exported_at: moment.at.toISOString(),
        business_date: moment.businessDate,
        files,
      };
    });
    // Before anything leaves: what stands in its place is in the log.
    await recordAct(warehouse.db, {
      actor: user,
      action: 'export',
      subject: `views of ${schema}`,
      detail: {
        format,
        business_date: manifest.business_date,
        rows: Object.fromEntries(manifest.files.map(({ view, rows }) => [view, rows])),
      },
    });
    await putInPlace(made, folder, manifest);
    return manifest;
  } finally {
    // At once: a command that is asked to stop leaves as soon as its connections are back.
    rmSync(made, { recursive: true, force: true });
  }
}

/**
 * Does some work with the eyes of the dashboards' role: masked evidence, suppressed figures empty, no other table. All
 * that it reads is as of one moment, however long it takes and whatever a night does meanwhile.
 *
 * @throws READER_ROLE when the account of the warehouse may not take the role
 */
async function asReader<Result>(
  warehouse: Warehouse,
  work: (reader: PoolClient) => Promise<Result>,
): Promise<Result> {
  const reader = await warehouse.pool.connect();
  try {
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await takeRole(reader);
    await reader.query(`SET LOCAL TimeZone = 'Asia/Shanghai'`);
    return await work(reader);
  } finally {
    // The connection goes with its role and its snapshot, also in the middle of a view.
    reader.release(true);
  }
}

/** @throws READER_ROLE */
async function takeRole(reader: PoolClient): Promise<void> {
  try {
    await reader.query(`SET LOCAL ROLE ${READER}`);
  } catch (cause) {
    // insufficient_privilege, or there is no such role
    if (!['42501', '22023'].includes(failureOf(cause).sqlstate ?? '')) throw cause;
    throw new PopshareError('READER_ROLE', `the account of the warehouse may not take the role ${READER}`, {
      cause,
    });
  }
}

/** Of when the snapshot is, and which night it shows. */
async function momentOf(reader: PoolClient): Promise<{ at: Date; businessDate: string | null }> {
  const { rows } = await reader.query<{ at: Date; date: string | null }>(
    `SELECT now() AS at, (SELECT max(business_date) FROM reporting.run WHERE status = 'done') AS date`,
  );
  return { at: rows[0]?.at ?? new Date(), businessDate: rows[0]?.date ?? null };
}

/**
 * The name of a view's file.
 *
 * @throws PATH_OUTSIDE_ROOT for a view whose name would lead elsewhere
 */
function fileOf({ name }: View, format: Manifest['format']): string {
  if (/[/\\]/.test(name))
    throw new PopshareError('PATH_OUTSIDE_ROOT', `the name of the view ${name} is no name of a file`);
  return `${name}.${format}`;
}

async function writeView(
  reader: PoolClient,
  view: View,
  file: string,
  format: Manifest['format'],
  watermark: string,
): Promise<number> {
  return format === 'csv' ? writeCsv(reader, view, file) : writeParquet(reader, view, file, { watermark });
}
