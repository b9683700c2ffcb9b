import { createTransport } from 'nodemailer';
import type { MailSettings } from '../../schema/configuration/notices.ts';
import { NoticeFailure } from './delivery-failure.ts';
import { ATTEMPT_MILLISECONDS, type Message } from './webhook.ts';

/** A connection to the mail server. */
export interface Mailer {
  send(address: string, message: Message): Promise<void>;
  close(): void;
}

/**
 * The mail server at the address that the environment has under `url_env`: `smtps://user:password@host:465`, or
 * `smtp://…:587`, which goes over to TLS when the server offers it (`?requireTLS=true` insists).
 *
 * @throws NoticeFailure when the variable is not set, or is no address
 */
export function openMailer({ url_env, from }: MailSettings, variables: NodeJS.ProcessEnv): Mailer {
  const given = variables[url_env] ?? '';
  if (given === '') throw new NoticeFailure(`the environment variable ${url_env} is not set`);
  const url = URL.parse(given);
  if (url === null || !/^smtps?:$/.test(url.protocol))
    throw new NoticeFailure(`the environment variable ${url_env} is no address smtp://… or smtps://…`);
  const transport = createTransport({
    url: given,
    connectionTimeout: ATTEMPT_MILLISECONDS,
    greetingTimeout: ATTEMPT_MILLISECONDS,
    socketTimeout: ATTEMPT_MILLISECONDS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(address, { id, at, title, body }) {
      await transport.sendMail({
        from,
        to: address,
        subject: `[popshare] ${title}`,
        text: `${body}\n`,
        textEncoding: 'base64',
        date: at,
        // The same for each attempt: a mail program shows one that came twice once.
        messageId: `<${id}@popshare.invalid>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    },
    close: () => transport.close(),
  };
}
