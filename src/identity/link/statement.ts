import pg, { type PoolClient } from 'pg';
import { PopshareError } from '../../schema/errors.ts';

/**
 * Runs a statement that contains expressions of the model.
 *
 * @param part the part of the model that they come from, for the message
 * @throws MODEL_EXPRESSION when the server refuses the statement, or an expression fails on some value
 */
export async function modelStatement(client: PoolClient, part: string, statement: string): Promise<void> {
  try {
    await client.query(statement);
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError)) throw cause;
    const { code = '', message } = cause;
    // Class 42: the statement itself. Class 22: a value, which the message would quote.
    if (code.startsWith('42')) throw new PopshareError('MODEL_EXPRESSION', `${part}: ${message}`, { cause });
    if (code.startsWith('22'))
      throw new PopshareError('MODEL_EXPRESSION', `${part}: fails on a value (SQLSTATE ${code})`, { cause });
    throw cause;
  }
}
