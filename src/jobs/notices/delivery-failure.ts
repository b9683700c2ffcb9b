/** A notice that did not get through. The message names no address, no secret and no text of a notice. */
export class NoticeFailure extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'NoticeFailure';
  }
}

/** What may be told of a failure to send: codes of the system, of TLS, of HTTP and SMTP, and nothing that they quote. */
export function reasonOf(error: unknown): string {
  if (error instanceof NoticeFailure) return error.message;
  const codes = chainOf(error).flatMap((link) => {
    const code = 'code' in link && typeof link.code === 'string' ? [link.code] : [];
    const response =
      'responseCode' in link && typeof link.responseCode === 'number' ? [link.responseCode] : [];
    return [...code, ...response.map((number) => `SMTP ${number}`)];
  });
  if (codes.length > 0) return codes.join(', ');
  return error instanceof Error ? error.name : 'unknown';
}

function chainOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  return [error, ...chainOf(error.cause)];
}
