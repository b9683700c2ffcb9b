import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { z } from 'zod';
import { PopshareError } from '../schema/errors.ts';
import { type AccountSurroundings, accountName, newAccountFields } from '../server/accounts/account-input.ts';
import { type Account, findAccount, listAccounts } from '../server/accounts/account-list.ts';
import {
  createAccount,
  type NewAccess,
  resetAccount,
  setDisabled,
} from '../server/accounts/administration.ts';
import { ROLES } from '../server/accounts/roles.ts';
import { say, sayJson, sayRows } from './output.ts';
import { type Session, withSession } from './session.ts';

interface AddOptions {
  readonly role: string;
  readonly division?: string;
  readonly department?: string;
  readonly email?: string;
  readonly displayName?: string;
  readonly oidcSubject?: string;
  readonly oidcEmail?: string;
  readonly json?: boolean;
}

/** `user`: accounts. Whoever has this command line has the warehouse; what they do is in the log under their name. */
export function addUserCommands(program: Command): void {
  const user = program.command('user').description('accounts: who may come in, and what they may 帐号');

  user
    .command('add')
    .argument('<name>', 'to sign in with')
    .description(
      'make an account; prints a password that is good for one sign-in, at which another is chosen',
    )
    .requiredOption('--role <role>', ROLES.join(', '))
    .option('--division <code>', 'the scope: this division and all below it; everywhere unless given')
    .option('--department <department>', 'the scope: this department; all of them unless given')
    .option('--email <address>', 'where the morning digest goes')
    .option('--display-name <name>', 'what the person is called')
    .option('--oidc-subject <subject>', 'signs in at the identity provider, as this subject')
    .option('--oidc-email <address>', 'signs in at the identity provider, with this verified address')
    .option('--json', 'one JSON object on stdout: {"account", "one_time_password"}')
    .action(async (name: string, options: AddOptions) => {
      const fields = readInput(newAccountFields, fieldsOf(name, options));
      const made = await withSession(({ warehouse, configuration }) =>
        createAccount(warehouse, fields, actor(), { ...surroundingsOf({ configuration }), at: new Date() }),
      );
      tellAccess(made, options);
    });

  user
    .command('list')
    .description('all accounts')
    .option('--json', 'one JSON object on stdout: {"users": [...]}')
    .action(async (options: { json?: boolean }) => {
      const users = await withSession(allAccounts);
      if (options.json) return sayJson({ users });
      const rows = users.map(({ name, display_name, role, division, department, email, ...state }) => ({
        ...{ name, display_name, role, division, department, email },
        state: stateOf(state),
      }));
      sayRows(rows, 'no accounts');
    });

  for (const [verb, disabled, description] of [
    ['disable', true, 'let nobody in with an account any more; its sessions end at once'],
    ['enable', false, 'let the owner of a disabled account in again'],
  ] as const) {
    user
      .command(verb)
      .argument('<name>')
      .description(description)
      .option('--json', 'one JSON object on stdout: {"account"}')
      .action(async (name: string, options: { json?: boolean }) => {
        const account = await withSession(async ({ warehouse }) => {
          const { account_id: accountId } = await findAccount(warehouse.db, readInput(accountName, name));
          return setDisabled(warehouse, { accountId }, disabled, actor());
        });
        if (options.json) sayJson({ account });
        else say(`${account.name} is ${verb}d`);
      });
  }

  user
    .command('reset')
    .argument('<name>')
    .description('give an account a new one-time password; ends its sessions and its lock')
    .option('--authenticator', 'take its authenticator away, too')
    .option('--json', 'one JSON object on stdout: {"account", "one_time_password"}')
    .action(async (name: string, options: { authenticator?: boolean; json?: boolean }) => {
      const reset = await withSession(async ({ warehouse }) => {
        const { account_id: accountId } = await findAccount(warehouse.db, readInput(accountName, name));
        const authenticator = options.authenticator === true;
        return resetAccount(warehouse, { accountId }, { authenticator }, actor(), new Date());
      });
      tellAccess(reset, options);
    });
}

/** Who acts on the command line: the user of this computer. */
export function actor(): { name: string } {
  return { name: userInfo().username };
}

/** What of the configuration accounts depend on. */
export function surroundingsOf({ configuration }: Pick<Session, 'configuration'>): AccountSurroundings {
  const { departments, server } = configuration.settings;
  return { departments: Object.keys(departments), issuer: server.oidc?.issuer ?? null };
}

/** @throws USAGE naming what is not as expected */
export function readInput<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const complaints = read.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new PopshareError('USAGE', complaints.join('; '));
}

function fieldsOf(name: string, options: AddOptions): Record<string, unknown> {
  const { role, division, department, email, displayName, oidcSubject, oidcEmail } = options;
  if (oidcSubject !== undefined && oidcEmail !== undefined)
    throw new PopshareError('USAGE', 'give --oidc-subject or --oidc-email, not both');
  return {
    ...{ name, role, division, department, email, display_name: displayName },
    ...(oidcSubject !== undefined && { oidc: { subject: oidcSubject } }),
    ...(oidcEmail !== undefined && { oidc: { email: oidcEmail } }),
  };
}

async function allAccounts({ warehouse }: Session): Promise<Account[]> {
  const all: Account[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page: { items: Account[]; next: string | null } = await listAccounts(warehouse.db, {
      after,
      limit: 200,
    });
    all.push(...page.items);
    after = page.next;
  }
  return all;
}

function stateOf({ disabled_at, locked_until, must_change }: Partial<Account>): string {
  if (disabled_at) return 'disabled';
  if (locked_until) return 'locked';
  return must_change ? 'has a one-time password' : '';
}

function tellAccess({ account, oneTimePassword }: NewAccess, { json }: { json?: boolean }): void {
  const how =
    oneTimePassword === null
      ? 'signs in at the identity provider'
      : `password for the first sign-in, within seven days: ${oneTimePassword}`;
  if (json) sayJson({ account, one_time_password: oneTimePassword });
  else say(`${account.name}, ${account.role}; ${how}`);
}
