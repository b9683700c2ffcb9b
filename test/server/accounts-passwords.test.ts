import { argon2Sync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { complaintAbout } from '../../src/server/accounts/password-rules.ts';
import { hashPassword, verifyPassword } from '../../src/server/accounts/passwords.ts';

const OWNER = { name: 'zhang.wei', display_name: '张伟', email: 'zhang.wei@example.org' };

describe('rules', () => {
  test.each([
    'password12',
    'password123456',
    'qwertyuiop12',
    '1qaz2wsx3edc',
    'P@ssw0rd2024',
    'Admin@123456',
    'aaaaaaaaaaaa',
    'abcdefghij1',
    'woaini5201314',
    'popshare2026',
    '平凉市崆峒区人口',
    'zhang.wei@example.org',
    'zhangwei1985',
    'Zhang_Wei@2026',
    '张伟张伟张伟张伟张伟',
    '1234567890',
    '20261118',
    '',
    '          ',
  ])('%s is refused', async (password) => {
    expect(await complaintAbout(password, OWNER)).not.toBeNull();
  });

  test.each([
    'ink paper 砚台 lantern 29',
    'correct horse battery staple',
    '床头灯 山核桃 自行车 北风',
    'T7#kq9!vZp2L',
    '}~%(_;=`<|^#:]',
  ])('%s is let through', async (password) => {
    expect(await complaintAbout(password, OWNER)).toBeNull();
  });

  test('whatever is shorter than ten characters or longer than two hundred is refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc
            .string({ unit: 'grapheme', maxLength: 9 })
            .filter((text) => [...text.normalize('NFKC')].length < 10),
          fc.string({ unit: 'grapheme-ascii', minLength: 201, maxLength: 400 }),
        ),
        async (password) => {
          expect(await complaintAbout(password, OWNER)).toMatch(/at (least 10|most 200) characters/);
        },
      ),
    );
  });

  test('twenty random letters are let through, whatever kinds of characters they lack', async () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    for (let times = 0; times < 50; times++) {
      const password = [...randomBytes(20)].map((byte) => letters[byte % letters.length]).join('');
      expect(await complaintAbout(password, OWNER), password).toBeNull();
    }
  });

  test('no password has the name of its owner for most of its characters', async () => {
    const part = fc.constantFrom(OWNER.name, OWNER.name.toUpperCase(), OWNER.display_name, 'zhang', 'wei');
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 3, maxLength: 8 }),
        fc.string({ unit: 'grapheme-ascii', maxLength: 3 }),
        async (parts, more) => {
          expect(await complaintAbout(parts.join('') + more, OWNER)).not.toBeNull();
        },
      ),
    );
  });

  test('the judgement does not depend on how the same characters are typed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 8, maxLength: 20 }), async (password) => {
        const composed = await complaintAbout(password.normalize('NFC'), OWNER);
        expect(await complaintAbout(password.normalize('NFD'), OWNER)).toBe(composed);
      }),
      { numRuns: 50 },
    );
  });
});

describe('hashes', () => {
  test('are argon2id with at least what OWASP asks for, salted, and know their password', async () => {
    const [first, second] = [await hashPassword('床头灯 山核桃'), await hashPassword('床头灯 山核桃')];
    expect(first).not.toBe(second);
    const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$/.exec(first) ?? [];
    expect(Number(memory)).toBeGreaterThanOrEqual(19_456);
    expect(Number(passes)).toBeGreaterThanOrEqual(2);
    expect(await verifyPassword(first, '床头灯 山核桃')).toEqual({ matches: true, isOutdated: false });
    expect(await verifyPassword(first, '床头灯 山核桃 ')).toMatchObject({ matches: false });
    expect(await verifyPassword(null, '床头灯 山核桃')).toMatchObject({ matches: false });
  });

  test('the same characters are the same password, however they are typed', async () => {
    const hash = await hashPassword('Å ｶﾀｶﾅ é');
    expect(await verifyPassword(hash, 'Å カタカナ é'.normalize('NFD'))).toMatchObject({ matches: true });
  });

  test('a hash of older parameters is good, and known to be outdated', async () => {
    const salt = randomBytes(16);
    const parameters = { memory: 8192, passes: 1, parallelism: 1, tagLength: 32 };
    const tag = argon2Sync('argon2id', { message: 'an old password', nonce: salt, ...parameters });
    const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
    const old = `$argon2id$v=19$m=8192,t=1,p=1$${text(salt)}$${text(tag)}`;
    expect(await verifyPassword(old, 'an old password')).toEqual({ matches: true, isOutdated: true });
  });

  test('more at once than may wait are turned away, and the others are served', async () => {
    const told = await Promise.allSettled(Array.from({ length: 60 }, () => verifyPassword(null, 'x')));
    const refused = told.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(60 - 52);
    expect(refused[0]).toMatchObject({ reason: { code: 'SIGN_IN_BUSY' } });
    expect(await verifyPassword(null, 'x')).toMatchObject({ matches: false });
  });
});
