import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { onTestFinished } from 'vitest';

interface Post {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A web server that keeps what it is sent, and answers as it is told to. */
export interface HttpReceiver {
  readonly url: string;
  readonly posts: Post[];
  /** The answers to the next posts; 204 afterwards. */
  readonly answers: number[];
}

export async function httpReceiver(): Promise<HttpReceiver> {
  const posts: Post[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    posts.push({ headers: request.headers, body: await text(request) });
    response.writeHead(answers.shift() ?? 204, { location: '/elsewhere' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server.address())}/notices`, posts, answers };
}

interface Mail {
  readonly to: string[];
  readonly source: string;
  /** The text of the mail, decoded. */
  readonly text: string;
}

/** A mail server that asks for a user and a password, and keeps what it is sent. */
export interface MailReceiver {
  readonly url: string;
  readonly mails: Mail[];
  /** Addresses that it knows nobody at. */
  readonly unknown: Set<string>;
}

export async function mailReceiver(): Promise<MailReceiver> {
  const mails: Mail[] = [];
  const unknown = new Set<string>();
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'popshare' && password === 'p@ss' ? done(null, { user: username }) : done(new Error('no')),
    onRcptTo: ({ address }, _session, done) =>
      done(unknown.has(address) ? Object.assign(new Error('nobody here'), { responseCode: 550 }) : null),
    async onData(stream, session, done) {
      const source = await text(stream);
      mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), source, text: textOf(source) });
      done();
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { url: `smtp://popshare:p%40ss@127.0.0.1:${portOf(server.server.address())}`, mails, unknown };
}

function portOf(address: unknown): number {
  if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port);
  throw new Error('not listening');
}

/** The body of a mail of one part in base64. */
function textOf(source: string): string {
  return Buffer.from(source.split('\r\n\r\n')[1] ?? '', 'base64').toString('utf8');
}

/** A port of this machine at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server.address());
  server.close();
  await once(server, 'close');
  return port;
}
