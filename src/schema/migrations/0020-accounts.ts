import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Who may come in: accounts, their sessions, tokens of other systems, and the one-time link of the first set-up.
 *
 * What proves who somebody is does not stand here as it was given: passwords as argon2id, tokens, cookies and recovery
 * codes as their SHA-256. (The secret of an authenticator must be had itself; the server's roles cannot read it.)
 * A division is the digits that the codes of its subtree begin with; null is everywhere.
 */
async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA access`.execute(db);
  await sql`
    CREATE TABLE access.account (
      account_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name           text COLLATE "C" NOT NULL CHECK (name = lower(name)),
      display_name   text NOT NULL,
      role           text COLLATE "C" NOT NULL CHECK (role IN
                       ('viewer', 'officer', 'supervisor', 'operator', 'administrator', 'auditor')),
      division       text COLLATE "C" CHECK (division ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$'),
      department     text COLLATE "C",
      email          text,
      password_hash  text,
      password_set_at timestamptz,
      must_change    boolean NOT NULL DEFAULT false,
      oidc_issuer    text,
      oidc_subject   text,
      oidc_email     text COLLATE "C" CHECK (oidc_email = lower(oidc_email)),
      totp_secret    text,
      totp_pending   text,
      totp_last_step bigint,
      disabled_at    timestamptz,
      created_at     timestamptz NOT NULL DEFAULT now(),
      version        integer NOT NULL DEFAULT 1,
      CHECK ((password_hash IS NULL) = (password_set_at IS NULL)),
      CHECK ((oidc_issuer IS NULL) = (oidc_subject IS NULL AND oidc_email IS NULL))
    )`.execute(db);
  await sql`CREATE UNIQUE INDEX account_by_name ON access.account (name)`.execute(db);
  await sql`
    CREATE UNIQUE INDEX account_by_subject ON access.account (oidc_issuer, oidc_subject)
    WHERE oidc_subject IS NOT NULL`.execute(db);
  // The address by which a provider's user is known until the first sign-in tells the subject.
  await sql`
    CREATE UNIQUE INDEX account_by_oidc_email ON access.account (oidc_issuer, oidc_email)
    WHERE oidc_email IS NOT NULL`.execute(db);
  await sql`
    CREATE TABLE access.recovery_code (
      account_id bigint NOT NULL REFERENCES access.account,
      code_hash  bytea NOT NULL,
      used_at    timestamptz,
      PRIMARY KEY (account_id, code_hash)
    )`.execute(db);
  // Failed sign-ins by name, whether or not there is such an account, and by address. Names stand here as their
  // SHA-256: somebody may have typed the password in the wrong field.
  await sql`
    CREATE TABLE access.sign_in_failure (
      subject_hash bytea PRIMARY KEY,
      failures     integer NOT NULL,
      first_at     timestamptz NOT NULL,
      last_at      timestamptz NOT NULL,
      locked_until timestamptz
    )`.execute(db);
  await sql`CREATE INDEX sign_in_failure_by_time ON access.sign_in_failure (last_at)`.execute(db);
  await sql`
    CREATE TABLE access.session (
      token_hash bytea PRIMARY KEY,
      session_id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
      account_id bigint NOT NULL REFERENCES access.account,
      method     text COLLATE "C" NOT NULL DEFAULT 'password' CHECK (method IN ('password', 'password and code', 'oidc')),
      address    text,
      user_agent text,
      created_at timestamptz NOT NULL DEFAULT now(),
      seen_at    timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL
    )`.execute(db);
  await sql`CREATE INDEX session_by_account ON access.session (account_id)`.execute(db);
  // Of a department's system, or of a dashboard: no person stands behind it.
  await sql`
    CREATE TABLE access.service_token (
      token_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      token_hash   bytea NOT NULL UNIQUE,
      name         text COLLATE "C" NOT NULL,
      role         text COLLATE "C" NOT NULL CHECK (role IN ('department', 'dashboard')),
      department   text COLLATE "C",
      created_by   text NOT NULL,
      created_at   timestamptz NOT NULL DEFAULT now(),
      expires_at   timestamptz NOT NULL,
      revoked_at   timestamptz,
      last_used_at timestamptz,
      CHECK ((role = 'department') = (department IS NOT NULL))
    )`.execute(db);
  await sql`
    CREATE TABLE access.setup_link (
      token_hash bytea PRIMARY KEY,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      used_at    timestamptz
    )`.execute(db);
  // A sign-in at the identity provider that has begun and not come back.
  await sql`
    CREATE TABLE access.oidc_attempt (
      state_hash    bytea PRIMARY KEY,
      nonce         text NOT NULL,
      code_verifier text NOT NULL,
      return_to     text NOT NULL,
      expires_at    timestamptz NOT NULL
    )`.execute(db);
}

async function down(db: Kysely<unknown>): Promise<void> {
  await sql`DROP SCHEMA access CASCADE`.execute(db);
}

export const accounts: Migration = { up, down };
