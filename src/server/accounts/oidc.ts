import { type Kysely, sql } from 'kysely';
import * as client from 'openid-client';
import type { OidcSettings } from '../../schema/configuration/accounts.ts';
import type { DB } from '../../schema/database.ts';
import { PopshareError } from '../../schema/errors.ts';
import { recordAct } from '../../schema/warehouse/audit.ts';
import type { Queryable } from '../../schema/warehouse/connect.ts';
import { SOMEBODY } from './credentials.ts';
import { hashOf } from './secrets.ts';
import { enter, type SignInTerms } from './sign-in.ts';

/** How long somebody may take at the provider. */
const MINUTES = 10;
/** Anybody may begin; so many may be under way. */
const MOST_ATTEMPTS = 5000;
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** Sign-in at the identity provider (OpenID Connect Core 1.0, authorization code flow with PKCE). */
export interface OidcProvider {
  /** Where the browser goes, and the secret that it keeps in a cookie until it comes back. */
  begin(db: Kysely<DB>, returnTo: string): Promise<{ url: string; state: string }>;
  /** Opens the session of whoever the provider says it is. */
  finish(engine: Queryable, answer: ProviderAnswer, terms: EnterTerms): Promise<Entered>;
}

/** With what a browser comes back. */
export interface ProviderAnswer {
  /** `?code=…&state=…`, as it came. */
  readonly query: string;
  /** Of the cookie; undefined when there is none. */
  readonly state: string | undefined;
}

type EnterTerms = Pick<SignInTerms, 'origin' | 'session' | 'previousToken'>;

export interface Entered {
  readonly token: string;
  /** The page that somebody wanted. */
  readonly returnTo: string;
}

/**
 * The identity provider of `server.oidc`. It is asked for its addresses and keys at the first sign-in.
 *
 * @param redirectUri where it sends browsers back to
 * @param variables usually process.env
 */
export function openProvider(
  settings: OidcSettings,
  redirectUri: string,
  variables: NodeJS.ProcessEnv,
): OidcProvider {
  let discovered: Promise<client.Configuration> | undefined;
  const configuration = async (): Promise<client.Configuration> => {
    discovered ??= discover(settings, variables);
    try {
      return await discovered;
    } catch (error) {
      discovered = undefined;
      throw new PopshareError('OIDC_UNREACHABLE', `${settings.issuer} does not say how to sign in there`, {
        cause: error,
      });
    }
  };
  return {
    begin: async (db, returnTo) => {
      const provider = await configuration();
      const [state, nonce, verifier] = [
        client.randomState(),
        client.randomNonce(),
        client.randomPKCECodeVerifier(),
      ];
      await keepAttempt(db, { state, nonce, code_verifier: verifier, return_to: returnTo });
      const url = client.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri,
        scope: 'openid email',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, state };
    },
    finish: async (engine, answer, terms) => {
      const provider = await configuration();
      try {
        const attempt = await takeAttempt(engine.db, answer);
        const url = new URL(redirectUri);
        url.search = answer.query;
        const user = await userOf(provider, url, attempt);
        const token = await enterLinked(engine, settings.issuer, user, terms);
        return { token, returnTo: attempt.return_to };
      } catch (error) {
        if (error instanceof PopshareError) await tellFailure(engine.db, terms, error);
        throw error;
      }
    },
  };
}

async function discover(
  { issuer, client_id, client_secret_env }: OidcSettings,
  variables: NodeJS.ProcessEnv,
): Promise<client.Configuration> {
  const secret = variables[client_secret_env];
  if (secret === undefined || secret === '') throw new Error(`the variable ${client_secret_env} is not set`);
  const server = new URL(issuer);
  // Without TLS whoever stands between could sign in as anybody: only for a provider on the same machine.
  const execute = LOOPBACK.test(server.hostname) ? [client.allowInsecureRequests] : [];
  return client.discovery(server, client_id, secret, undefined, { execute });
}

interface StoredAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly code_verifier: string;
  readonly return_to: string;
}

/** @throws SIGN_IN_BUSY */
async function keepAttempt(db: Kysely<DB>, attempt: StoredAttempt): Promise<void> {
  const { state, nonce, code_verifier, return_to } = attempt;
  await sql`DELETE FROM access.oidc_attempt WHERE expires_at <= now()`.execute(db);
  const { rows } = await sql`
    INSERT INTO access.oidc_attempt (state_hash, nonce, code_verifier, return_to, expires_at)
    SELECT ${hashOf(state)}, ${nonce}, ${code_verifier}, ${return_to}, now() + make_interval(mins => ${MINUTES})
    WHERE (SELECT count(*) FROM access.oidc_attempt) < ${MOST_ATTEMPTS}
    RETURNING 1 AS kept`.execute(db);
  if (rows.length === 0) throw new PopshareError('SIGN_IN_BUSY', `${MOST_ATTEMPTS} sign-ins are under way`);
}

/**
 * The attempt that an answer belongs to; it is good once. The cookie tells that it was begun in this browser: or
 * somebody could be signed in, by a link, as somebody else.
 *
 * @throws OIDC_FAILED
 */
async function takeAttempt(db: Kysely<DB>, { query, state }: ProviderAnswer): Promise<StoredAttempt> {
  if (state === undefined || new URLSearchParams(query).get('state') !== state)
    throw new PopshareError('OIDC_FAILED', 'the sign-in was not begun in this browser');
  const { rows } = await sql<Omit<StoredAttempt, 'state'>>`
    DELETE FROM access.oidc_attempt WHERE state_hash = ${hashOf(state)} AND expires_at > now()
    RETURNING nonce, code_verifier, return_to`.execute(db);
  if (rows[0] === undefined)
    throw new PopshareError('OIDC_FAILED', `the sign-in took longer than ${MINUTES} minutes, or is done`);
  return { state, ...rows[0] };
}

interface ProviderUser {
  readonly subject: string;
  /** Only one that the provider has verified. */
  readonly email: string | null;
}

/** @throws OIDC_FAILED */
async function userOf(
  provider: client.Configuration,
  url: URL,
  attempt: StoredAttempt,
): Promise<ProviderUser> {
  try {
    const tokens = await client.authorizationCodeGrant(provider, url, {
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      pkceCodeVerifier: attempt.code_verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error('the provider sent no ID token');
    // Most providers put the address into the answer for the user alone, not into the ID token.
    const asksMore =
      claims['email'] === undefined && provider.serverMetadata().userinfo_endpoint !== undefined;
    const { email, email_verified } = asksMore
      ? await client.fetchUserInfo(provider, tokens.access_token, claims.sub)
      : claims;
    return {
      subject: claims.sub,
      email: typeof email === 'string' && email_verified === true ? email.toLowerCase() : null,
    };
  } catch (error) {
    throw new PopshareError('OIDC_FAILED', 'the provider did not confirm the sign-in', { cause: error });
  }
}

/**
 * Enters with the account that an administrator linked to the user: by the subject; or by the address, and from then
 * on by the subject, for an address may be given to somebody else.
 */
async function enterLinked(
  { db }: Queryable,
  issuer: string,
  { subject, email }: ProviderUser,
  terms: EnterTerms,
): Promise<string> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ account_id: number; name: string; is_bound: boolean; disabled: boolean }>`
      SELECT account_id, name, oidc_subject IS NOT NULL AS is_bound, disabled_at IS NOT NULL AS disabled FROM access.account
      WHERE oidc_issuer = ${issuer} AND (oidc_subject = ${subject} OR (oidc_subject IS NULL AND oidc_email = ${email}))
      ORDER BY oidc_subject NULLS LAST LIMIT 1 FOR UPDATE`.execute(tx);
    const [account] = rows;
    if (account === undefined || account.disabled)
      throw new PopshareError(
        'OIDC_FAILED',
        'no account is linked to this user: an administrator can do that',
      );
    if (!account.is_bound) {
      await sql`
        UPDATE access.account SET oidc_subject = ${subject}, version = version + 1
        WHERE account_id = ${account.account_id}`.execute(tx);
      await recordAct(tx, {
        actor: account.name,
        action: 'account',
        subject: `account ${account.account_id}`,
        detail: {
          change: 'bound to the user of the provider',
          before: null,
          after: { oidc_subject: subject },
        },
      });
    }
    return enter(tx, account, 'oidc', terms);
  });
}

/** With the code by which the library names what was wrong, if it was the library that refused. */
async function tellFailure(db: Kysely<DB>, { origin }: EnterTerms, error: PopshareError): Promise<void> {
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
  await recordAct(db, {
    actor: SOMEBODY,
    action: 'sign_in_failed',
    detail: { address: origin.address, method: 'oidc', why: error.message, code },
  });
}
