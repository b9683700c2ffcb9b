import { csrfTokenOf, SESSION_COOKIE } from '../../src/server/authentication.ts';
import type { useApi } from './api.ts';

/** What a browser gets. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Somebody at a browser that keeps its cookies, and sends the CSRF token of its session as pages do. */
export function useBrowser(api: ReturnType<typeof useApi>, address = '127.0.0.1') {
  const cookies = new Map<string, string>();
  const send = async (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Page> => {
    const session = cookies.get(SESSION_COOKIE);
    const response = await api.server.inject({
      method,
      url,
      remoteAddress: address,
      cookies: Object.fromEntries(cookies),
      headers: { ...(session !== undefined && { 'x-csrf-token': csrfTokenOf(session) }), ...headers },
      ...(body !== undefined && { payload: JSON.parse(JSON.stringify(body)) }),
    });
    for (const { name, value, maxAge, expires } of response.cookies) {
      if (maxAge === 0 || (expires !== undefined && expires.getTime() === 0)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const isJson = String(response.headers['content-type'] ?? '').includes('json');
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      body: isJson && response.body !== '' ? response.json() : {},
    };
  };
  return {
    cookies,
    send,
    get: (url: string) => send('GET', url),
    post: (url: string, body?: unknown, headers?: Readonly<Record<string, string>>) =>
      send('POST', url, body, headers),
    signIn: (name: string, password: string, more: Readonly<Record<string, string>> = {}) =>
      send('POST', '/api/session', { name, password, ...more }),
  };
}

export const PASSWORD = 'ink paper 砚台 lantern 29';
export const OTHER_PASSWORD = 'teapot 山雀 umbrella 51';

/** Makes an account whose owner has chosen {@link PASSWORD}. */
export async function person(
  api: ReturnType<typeof useApi>,
  fields: { readonly name: string; readonly role: string; readonly [field: string]: unknown },
): Promise<number> {
  const administrator = await api.as({ role: 'administrator' });
  const made = await administrator.post('/api/accounts', fields);
  const chosen = await useBrowser(api).signIn(fields.name, String(made.at('one_time_password')), {
    new_password: PASSWORD,
  });
  if (chosen.status !== 200 && chosen.status !== 403)
    throw new Error(`no account: ${made.text} ${chosen.text}`);
  return Number(made.at('account_id'));
}
