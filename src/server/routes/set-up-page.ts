import { readFileSync } from 'node:fs';
import type { Server } from '../context.ts';

/** What the one-time link of the first start shows; `POST /api/set-up` does what it asks for. */
const FILES = [
  { url: '/set-up', file: 'set-up.html', type: 'text/html; charset=utf-8' },
  { url: '/set-up.js', file: 'set-up.js', type: 'text/javascript; charset=utf-8' },
] as const;

/** `/set-up`: pages, not part of the API document. */
export function addSetUpPage(server: Server): void {
  for (const { url, file, type } of FILES) {
    const text = readFileSync(new URL(`../pages/${file}`, import.meta.url), 'utf8');
    server.get(url, { config: { access: 'public' }, schema: { hide: true } }, async (_request, reply) =>
      reply.type(type).header('cache-control', 'no-store').send(text),
    );
  }
}
