import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { AnsweredFile } from '../anomalies/answered-file.ts';
import { PopshareError } from '../schema/errors.ts';
import type { Server } from './context.ts';

/** Media types of the files that come and go. */
export const FILE_TYPES = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const;

export type FileFormat = keyof typeof FILE_TYPES;

export const fileFormat = z.enum(['csv', 'xlsx']).default('xlsx');

/** A file as the body of a request or an answer. */
export const fileBytes = z.instanceof(Buffer).meta({ type: 'string', format: 'binary' });

/** What a route with a file says of it in the document. */
export const FILES = Object.values(FILE_TYPES);

/** Lets requests have a file as their body, whole: the server's limit on bodies bounds it. */
export function addFileBodies(server: Server): void {
  server.addContentTypeParser(FILES, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/**
 * The file that came as the body of a request.
 *
 * @throws SOURCE_FORMAT when its media type is none of {@link FILE_TYPES}
 */
export function uploadedFile(body: Buffer, contentType: string | undefined): AnsweredFile {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  const format = type === FILE_TYPES.xlsx ? 'xlsx' : type === FILE_TYPES.csv ? 'csv' : null;
  if (format === null) throw new PopshareError('SOURCE_FORMAT', `expected ${FILES.join(' or ')}`);
  return { name: `the ${format} file`, format, bytes: Readable.from([body]) };
}

/** Answers with a file to keep; browsers take its name, whatever characters are in it (RFC 6266). */
export function sendFile(reply: FastifyReply, name: string, bytes: Buffer): FastifyReply {
  const format: FileFormat = name.endsWith('.csv') ? 'csv' : 'xlsx';
  return reply
    .type(FILE_TYPES[format])
    .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
    .header('cache-control', 'no-store')
    .send(bytes);
}
