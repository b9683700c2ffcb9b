import type { Command } from 'commander';
import {
  createToken,
  listTokens,
  MOST_DAYS,
  revokeToken,
  type ServiceToken,
} from '../server/accounts/tokens.ts';
import { newToken } from '../server/routes/tokens.ts';
import { numberArgument, say, sayJson, sayRows } from './output.ts';
import { type Session, withSession } from './session.ts';
import { actor, readInput, surroundingsOf } from './users.ts';

/** `token`: how systems of departments, and dashboards, come in. */
export function addTokenCommands(program: Command): void {
  const token = program
    .command('token')
    .description('tokens of departments’ systems and of dashboards 接口令牌');

  token
    .command('add')
    .argument('<name>', 'what it is for')
    .description('make a token; it is printed this once')
    .option('--department <department>', 'of this department’s system; of a dashboard unless given')
    .option('--days <number>', 'until it expires, at most a year', String(MOST_DAYS))
    .option('--json', 'one JSON object on stdout: {"token_id", "token", …}')
    .action(async (name: string, options: { department?: string; days: string; json?: boolean }) => {
      const { department = null } = options;
      const fields = readInput(newToken, {
        ...{ name, department, days: numberArgument(options.days) },
        role: department === null ? 'dashboard' : 'department',
      });
      const made = await withSession(({ warehouse, configuration }) =>
        createToken(warehouse, fields, actor(), surroundingsOf({ configuration })),
      );
      if (options.json) return sayJson({ ...made.row, token: made.token });
      say(
        `token ${made.row.token_id}, ${made.row.role}, until ${made.row.expires_at.toISOString().slice(0, 10)}`,
      );
      say(`send it as Authorization: Bearer ${made.token}`);
    });

  token
    .command('list')
    .description('all tokens, the latest first')
    .option('--json', 'one JSON object on stdout: {"tokens": [...]}')
    .action(async (options: { json?: boolean }) => {
      const tokens = await withSession(allTokens);
      if (options.json) return sayJson({ tokens });
      const day = (date: Date | null): string => date?.toISOString().slice(0, 10) ?? '';
      const rows = tokens.map(({ token_id, name, role, department, created_by, ...times }) => ({
        ...{ token_id, name, role, department, created_by },
        expires: day(times.expires_at),
        last_used: day(times.last_used_at),
        revoked: day(times.revoked_at),
      }));
      sayRows(rows, 'no tokens');
    });

  token
    .command('revoke')
    .argument('<id>')
    .description('let nobody in with a token any more')
    .option('--json', 'one JSON object on stdout: {"token_id", …}')
    .action(async (id: string, options: { json?: boolean }) => {
      const tokenId = numberArgument(id);
      const revoked = await withSession(({ warehouse }) => revokeToken(warehouse, tokenId, actor()));
      if (options.json) sayJson(revoked);
      else say(`token ${revoked.token_id}, ${revoked.name}, is revoked`);
    });
}

async function allTokens({ warehouse }: Session): Promise<ServiceToken[]> {
  const all: ServiceToken[] = [];
  for (let after: number | null = Number.MAX_SAFE_INTEGER; after !== null; ) {
    const page: { items: ServiceToken[]; next: string | null } = await listTokens(warehouse.db, {
      after,
      limit: 200,
    });
    all.push(...page.items);
    after = page.next === null ? null : Number(page.next);
  }
  return all;
}
