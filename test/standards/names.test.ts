import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNames, nameForms, namePattern, normaliseName } from '../../src/schema/standards/names.ts';

const nameText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'张王李建国文雯欧阳·・. 　?□ABa１\uE000\u0301') }),
  fc.string({ unit: 'binary' }),
);

describe('normaliseName', () => {
  it.each(['王伟', '欧阳建国', '阿依古丽·吐尔逊', '李𬍛', 'JOHN SMITH'])('leaves %s as it is', (name) => {
    expect(normaliseName(name)).toEqual({ name, unreadable: false, changed: false });
  });

  it.each([
    ['罗　涛', '罗涛'],
    ['张 小 明 ', '张小明'],
    ['古丽娜尔・阿不都', '古丽娜尔·阿不都'],
    ['古丽娜尔•阿不都', '古丽娜尔·阿不都'],
    ['古丽娜尔．阿不都', '古丽娜尔·阿不都'],
    ['古丽娜尔 · 阿不都', '古丽娜尔·阿不都'],
    ['古丽娜尔‧阿不都', '古丽娜尔·阿不都'],
    ['Ｊｏｈｎ  smith', 'JOHN SMITH'],
    ['\uF92C嘉', '郎嘉'],
    ['张\u200B伟', '张伟'],
  ])('puts %j right', (given, name) => {
    expect(normaliseName(given)).toEqual({ name, unreadable: false, changed: true });
  });

  it.each(['王?', '王？', '王□', '王\uFFFD', '王\uE863', '王??', '王〓', '王\uD86F', '王\u{F0000}'])(
    'marks what cannot be read in %j',
    (given) => {
      expect(normaliseName(given)).toEqual({ name: '王□', unreadable: true, changed: false });
    },
  );

  it('keeps every ordinary Han character', () => {
    for (let code = 0x4e00; code <= 0x9fff; code += 1) {
      const name = `一${String.fromCodePoint(code)}一一一`;
      expect(normaliseName(name).name).toBe(name);
    }
  });

  it('is idempotent', () => {
    fc.assert(
      fc.property(nameText, (given) => {
        const once = normaliseName(given).name;
        expect(normaliseName(once)).toMatchObject({ name: once, changed: false });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('nameForms', () => {
  it.each([
    ['单雄', '单', 'shan xiong'],
    ['仇英', '仇', 'qiu ying'],
    ['曾国平', '曾', 'zeng guo ping'],
    ['解小丽', '解', 'xie xiao li'],
    ['查良', '查', 'zha liang'],
    ['区志强', '区', 'ou zhi qiang'],
    ['朴秀英', '朴', 'piao xiu ying'],
    ['盖娜', '盖', 'ge na'],
    ['种师', '种', 'chong shi'],
    ['吕绿', '吕', 'lv lv'],
    ['欧阳娜娜', '欧阳', 'ou yang na na'],
    ['万俟雪', '万俟', 'mo qi xue'],
    ['单于明', '单于', 'chan yu ming'],
    ['欧阳', '欧', 'ou yang'],
    ['李㛃', '李', 'li jie'],
    ['赵䶮', '赵', 'zhao yan'],
    ['阿依古丽·吐尔逊', '', 'a yi gu li tu er xun'],
    ['JOHN SMITH', '', 'john smith'],
    ['王□', '王', 'wang □'],
  ])('%s: surname %j, pinyin %j', (name, surname, pinyin) => {
    expect(nameForms(name)).toMatchObject({ surname, givenName: name.slice(surname.length), pinyin });
  });

  it('reads a given name character by character, whatever stands beside it', () => {
    expect(nameForms('王长').pinyin.split(' ')[1]).toBe(nameForms('王长大').pinyin.split(' ')[1]);
  });
});

describe('compareNames', () => {
  it.each([
    ['孙国丽', '孙固丽', 'look_alike'],
    ['刘建明', '刘健明', 'homophone'],
    ['田文强', '田雯强', 'homophone'],
    ['刘志涛', '刘芝涛', 'homophone'],
    ['戴彧', '戴雨', 'homophone'],
    ['丁雪博', '丁雪傅', 'look_alike'],
    ['周宇淑', '周字淑', 'look_alike'],
    ['郑文磊', '郑交磊', 'look_alike'],
    ['张继颖', '张继莹', 'homophone'],
    ['李小凤', '李小风', 'homophone'],
    ['刘薇', '刘伟', 'homophone'],
    ['吴晓磊', '吴饶磊', 'look_alike'],
    ['陈晟', '陈成', 'look_alike'],
    ['王建国', '王建国', 'equal'],
    ['王□', '王𬍛', 'unreadable'],
    ['王□', '王建国', 'unreadable'],
    ['欧阳□明', '欧阳小明', 'unreadable'],
    ['王□', '王', 'different'],
    ['王□', '李□', 'different'],
    ['王建国', '王建军', 'different'],
    ['王伟', '李伟', 'different'],
    ['', '王伟', 'different'],
  ])('%s and %s: %s', (left, right, answer) => {
    expect(compareNames(left, right)).toBe(answer);
  });

  it('is symmetric, and calls a name equal to itself', () => {
    const name = nameText.map((given) => normaliseName(given).name);
    fc.assert(
      fc.property(name, name, (left, right) => {
        expect(compareNames(left, right)).toBe(compareNames(right, left));
        expect(compareNames(left, left)).toBe('equal');
      }),
    );
  });
});

describe('namePattern', () => {
  it('lets each □ be one or more characters', () => {
    expect(namePattern('王□明')).toBe('王_%明');
    expect(namePattern('100%_\\□')).toBe('100\\%\\_\\\\_%');
    expect(namePattern('王明')).toBeNull();
  });
});
