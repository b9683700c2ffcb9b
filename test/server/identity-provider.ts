import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** Whoever the provider knows; the subject is the name that they sign in with there. */
export interface ProviderUser {
  readonly email?: string;
  readonly email_verified?: boolean;
}

/** An OpenID provider in this process, with the pages for signing in that the library brings along. */
export async function startIdentityProvider(
  client: { readonly id: string; readonly secret: string; readonly redirectUri: string },
  users: Readonly<Record<string, ProviderUser>>,
) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${portOf(server.address())}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [client.redirectUri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    cookies: { keys: ['keys of a test'] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, ...users[sub] }),
    }),
    features: { devInteractions: { enabled: true } },
  });
  server.on('request', provider.callback());

  /** Walks from the address that popshare sent to, through the provider's pages, as a browser does. */
  async function signIn(address: string, name: string): Promise<string> {
    const cookies = new Map<string, string>();
    let response = await request(address, cookies);
    for (let step = 0; step < 12; step++) {
      const to = response.headers.get('location');
      if (to !== null) {
        const next = new URL(to, response.url);
        if (next.href.startsWith(client.redirectUri)) return next.href;
        response = await request(next.href, cookies);
        continue;
      }
      const page = await response.text();
      const form = /action="([^"]+)"/.exec(page)?.[1];
      const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
      if (form === undefined || prompt === undefined)
        throw new Error(`no form to fill in: ${page.slice(0, 300)}`);
      response = await request(new URL(form, response.url).href, cookies, {
        prompt,
        login: name,
        password: 'any',
      });
    }
    throw new Error('the provider led nowhere');
  }

  return { issuer, signIn, close: () => server.close() };
}

async function request(
  address: string,
  cookies: Map<string, string>,
  form?: Readonly<Record<string, string>>,
): Promise<Response> {
  const response = await fetch(address, {
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form) }),
  });
  for (const line of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    cookies.set(name, value);
  }
  return response;
}

function portOf(address: string | AddressInfo | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
