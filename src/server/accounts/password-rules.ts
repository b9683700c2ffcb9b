import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { PopshareError } from '../../schema/errors.ts';

const FEWEST_CHARACTERS = 10;
export const MOST_CHARACTERS = 200;
/** Of five, 0 to 4: more than 10^8 guesses by somebody who knows how people make passwords. */
const LEAST_SCORE = 3;
/** The estimate looks at so many characters; what comes after them only makes the password better. */
const ESTIMATED_CHARACTERS = 64;
const NEITHER_LETTER_NOR_DIGIT = /[^\p{L}\p{N}]+/gu;
/** What whoever attacks this site tries first. */
const WORDS_OF_THE_SITE = [
  ...[
    'popshare',
    'renkou',
    'gongan',
    'minzheng',
    'shujuju',
    'kongtong',
    'pingliang',
    'gansu',
    'admin',
    'guanliyuan',
  ],
  ...['人口', '人口信息', '人口信息共享', '公安', '民政', '崆峒区', '平凉市', '甘肃省', '管理员', '密码'],
  ...['zhongguo', 'woaini', '5201314', '1314520', '1314', 'beijing', '中国', '我爱你', '北京'],
];

/** Whose password it is. */
export interface PasswordOwner {
  readonly name: string;
  readonly display_name: string;
  readonly email?: string | null | undefined;
}

/**
 * Lets a password through that is long enough and cannot be guessed (NIST SP 800-63B-4, 3.1.1.2): length and a
 * comparison with what is common, expected or about the owner, and no rule about kinds of characters. The estimate
 * is what GB/T 22239-2019, 8.1.4.1, asks for as complexity.
 *
 * @throws PASSWORD_WEAK
 */
export async function requireGoodPassword(password: string, owner: PasswordOwner): Promise<void> {
  const complaint = await complaintAbout(password, owner);
  if (complaint !== null) throw new PopshareError('PASSWORD_WEAK', complaint);
}

/** What is wrong with a password; null when nothing is. */
export async function complaintAbout(password: string, owner: PasswordOwner): Promise<string | null> {
  const given = password.normalize('NFKC');
  const length = [...given].length;
  if (length < FEWEST_CHARACTERS) return `a password has at least ${FEWEST_CHARACTERS} characters`;
  if (length > MOST_CHARACTERS) return `a password has at most ${MOST_CHARACTERS} characters`;
  const about = wordsAbout(owner);
  const named = about.filter((word) => given.toLowerCase().includes(word));
  if (named.length > 0 && withoutWords(given, named).length < FEWEST_CHARACTERS / 2)
    return 'a password is not made of the name or the address of its owner';
  const { score } = (await estimator()).check(given, [...about, ...WORDS_OF_THE_SITE]);
  return score < LEAST_SCORE ? 'the password is common, or made in a way that is easily guessed' : null;
}

/** Names and addresses as they are, in parts, and without what stands between the parts; the longest first. */
function wordsAbout({ name, display_name, email }: PasswordOwner): string[] {
  const given = [name, display_name, ...(email ?? '').split('@')].map((word) =>
    word.normalize('NFKC').toLowerCase(),
  );
  const parts = given.flatMap((word) => word.split(NEITHER_LETTER_NOR_DIGIT));
  const joined = given.map((word) => word.replaceAll(NEITHER_LETTER_NOR_DIGIT, ''));
  return [...new Set([...given, ...joined, ...parts])]
    .filter((word) => [...word].length >= 2)
    .sort((left, right) => right.length - left.length);
}

/** The letters and digits of a text that are left when words are taken out. */
function withoutWords(text: string, words: readonly string[]): string {
  const left = words.reduce((rest, word) => rest.replaceAll(word, ''), text.toLowerCase());
  return left.replaceAll(NEITHER_LETTER_NOR_DIGIT, '');
}

let opened: Promise<ZxcvbnFactory> | undefined;

/** The lists are large and seldom needed: they are read at the first use. */
function estimator(): Promise<ZxcvbnFactory> {
  opened ??= openEstimator();
  return opened;
}

async function openEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory: Factory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  return new Factory({ graphs: adjacencyGraphs, dictionary, maxLength: ESTIMATED_CHARACTERS });
}
