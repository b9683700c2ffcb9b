import { mix, type Random, share, WeightedTable } from './random.ts';

/**
 * Names as they occur. Surnames: the order of the Ministry of Public Security's name report of 2020, the first
 * three shares (in percent) as the ministry gave them in 2007, the others falling as its ranks do; together
 * 87 % of the population, scaled to the whole. docs/synth.md says what is measured and what is rounded.
 */
const SURNAMES =
  '王7.25 李7.19 张6.83 刘5.40 陈4.60 杨3.10 黄2.30 赵2.10 吴2.05 周1.95 徐1.50 孙1.45 马1.40 朱1.30 胡1.25 ' +
  '郭1.20 何1.15 林1.12 高1.08 罗1.05 郑0.93 梁0.90 谢0.80 宋0.78 唐0.75 许0.72 邓0.70 冯0.68 韩0.67 曹0.65 ' +
  '曾0.63 彭0.62 肖0.60 蔡0.58 潘0.56 田0.55 董0.54 袁0.53 于0.52 余0.50 蒋0.49 叶0.48 杜0.47 苏0.46 魏0.45 ' +
  '程0.44 吕0.43 丁0.42 沈0.41 任0.40 姚0.39 卢0.38 傅0.37 钟0.36 姜0.35 崔0.34 谭0.33 廖0.32 范0.31 汪0.30 ' +
  '陆0.30 金0.29 石0.29 戴0.28 贾0.28 韦0.27 夏0.27 邱0.26 方0.26 侯0.25 邹0.25 熊0.24 孟0.24 秦0.23 白0.23 ' +
  '江0.22 阎0.22 薛0.21 尹0.21 段0.20 雷0.20 龙0.20 黎0.19 史0.19 陶0.19 贺0.18 毛0.18 郝0.18 顾0.18 龚0.17 ' +
  '邵0.17 万0.17 覃0.17 武0.16 钱0.16 洪0.15 严0.15 莫0.15 孔0.14 欧0.14 常0.14 汤0.13 康0.13 易0.13 乔0.12 ' +
  '牛0.12 樊0.12 葛0.11 岳0.11 齐0.11 祁0.10 柳0.10 温0.10 安0.09 路0.09 骆0.08 焦0.08 欧阳0.08 司马0.01 上官0.01';

const SURNAME_TABLE = new WeightedTable(
  SURNAMES.split(' ').map((entry): [string, number] => {
    const split = entry.search(/\d/);
    return [entry.slice(0, split), Number(entry.slice(split))];
  }),
);

interface Fashion {
  /** Births before this year. */
  before: number;
  /** Share of given names of one character. */
  single: number;
  men: string;
  women: string;
}

/** Given-name characters by sex and decade of birth, commonest first. */
const FASHIONS: readonly Fashion[] = [
  {
    before: 1950,
    single: 0.07,
    men: '德明国文华玉金福生成志林忠永清贵荣祥发有宝春财兴元世光义仁振长登学树万庆山海才富',
    women: '秀英桂兰玉珍凤芳淑花素香月翠莲梅金云琴菊芝荣清美巧银惠春莉爱贞琼娥仙彩',
  },
  {
    before: 1960,
    single: 0.08,
    men: '建国华明文志德军平生林永忠新民玉金福祥成荣清春学光庆海山有宝振兴发元根树才民安顺',
    women: '秀英玉兰芳桂珍凤淑华梅琴素霞萍云莲香芬荣翠菊月红花爱美惠金艳琼娥春平仙丽',
  },
  {
    before: 1970,
    single: 0.14,
    men: '军建国华明平文志勇强林新生永红卫东海春荣伟成民忠学光金祥波德辉庆宏玉福利跃进兵根',
    women: '英秀红丽华玉梅芳霞萍琴燕艳平云芬珍兰凤香敏娟莲桂春荣群爱淑玲慧琼菊素静',
  },
  {
    before: 1980,
    single: 0.3,
    men: '军勇伟强建华明波涛平辉刚斌文志永海林国春峰杰新红宏东成亮卫兵利生学庆光鹏飞祥栋',
    women: '丽红霞艳燕梅芳玲英娟敏静萍华秀琴春云玉晓海莉群芬凤兰香慧桂珍丹蓉琼雪翠莲',
  },
  {
    before: 1990,
    single: 0.38,
    men: '伟磊勇涛军强超杰鹏斌波辉建华刚飞亮峰明志海龙文永林国平东凯俊健旭彬晓宁帅洋小春浩',
    women: '丽静娟燕艳敏霞芳婷娜玲红梅丹莉萍倩晓雪琴秀慧春英云海颖洁佳欢玉琳璐小晶月娇',
  },
  {
    before: 2000,
    single: 0.24,
    men: '杰浩鹏伟超涛龙凯文强俊磊建晓志明宇健飞帅洋旭斌阳军海小博佳亮晨勇林东家子亚永国瑞',
    women: '婷雪静丽敏娟倩佳燕慧莉丹琳梦颖娜欣雨玲艳晓洁瑶文琪小月悦珊霞婧蕾思媛春美玉云',
  },
  {
    before: 2010,
    single: 0.12,
    men: '浩宇文杰俊子涛佳鑫博嘉豪志家凯泽晨瑞鹏旭龙轩伟明阳睿天思航昊翔永梓成海一强乐辰世',
    women: '欣怡佳雨梦婷思雪嘉静琪文晓瑶慧颖悦诗涵语子雅婧琳馨菲蕊梓心如月紫丽妍敏玉清梅',
  },
  {
    before: 3000,
    single: 0.07,
    men: '梓子宇辰浩泽奕轩沐一亦宸昊铭皓博睿嘉俊航晨瑞煜文杰佑毅恒思然彦霖墨豪承乐言安诚',
    women: '梓涵一诺欣怡语桐可妍汐雨瑶梦玥伊昕若沐悦萱诗琪思雅芮芸子馨依婉清佳苒晴玉安柠钰',
  },
];

/** A surname by its share of the population. */
export function surname(random: Random): string {
  return SURNAME_TABLE.draw(random);
}

/** A given name of one or two characters, as people of that sex and year of birth carry it. */
export function givenName(random: Random, sex: 1 | 2, birthYear: number): string {
  const fashion = FASHIONS.find(({ before }) => birthYear < before);
  if (fashion === undefined) throw new RangeError(`no names for the year ${birthYear}`);
  const characters = sex === 1 ? fashion.men : fashion.women;
  const first = commonFirst(random, characters);
  if (random.chance(fashion.single)) return first;
  return first + commonFirst(random, characters);
}

/** The list is sorted by use: the product of two shares favours its beginning. */
function commonFirst(random: Random, characters: string): string {
  return characters.charAt(Math.floor(characters.length * random.next() * Math.max(random.next(), 0.35)));
}

/** Groups with the same reading, tone included. */
const HOMOPHONES = [
  '丽莉利',
  '志智',
  '建健',
  '伟玮',
  '军君均',
  '明鸣铭',
  '文雯',
  '华骅',
  '平萍',
  '芳方',
  '霞遐',
  '玲灵',
  '红宏洪',
  '静婧',
  '辉晖',
  '俊峻',
  '佳嘉家',
  '欣馨昕新',
  '怡宜仪',
  '梅玫',
  '英瑛',
  '琴勤',
  '云芸',
  '永勇泳咏',
  '宇羽雨',
  '晨辰',
  '轩萱',
  '浩皓昊',
  '杰洁',
  '博搏',
  '子梓紫',
  '慧惠',
  '艳燕',
  '秀绣',
  '珍真贞',
  '国帼',
  '春椿',
  '林琳霖',
  '颖影',
  '悦月',
  '思丝',
  '一伊依',
  '亦奕毅',
  '涛滔',
  '龙隆',
];

/** Pairs that the eye confuses when a form is typed from paper. */
const LOOK_ALIKES = '晴睛 宇字 玉王 清请 洋样 雪雷 洁桔 霞暇 强疆 明朋 国固 海悔 佳住 杰热'.split(' ');

function partnersOf(groups: readonly string[]): Map<string, string> {
  const partners = new Map<string, string>();
  for (const group of groups) {
    for (const character of group) {
      partners.set(character, (partners.get(character) ?? '') + group.replace(character, ''));
    }
  }
  return partners;
}

const HOMOPHONES_OF = partnersOf(HOMOPHONES);
const LOOK_ALIKES_OF = partnersOf(LOOK_ALIKES);

/** A given name with one character replaced by another of the same reading, if it has such a one. */
export function homophoneName(given: string, seed: number): string | undefined {
  return replaceCharacter(given, seed, (character) => HOMOPHONES_OF.get(character));
}

/** A given name with one character replaced by one that looks like it, if there is one. */
export function lookAlikeName(given: string, seed: number): string | undefined {
  return replaceCharacter(given, seed, (character) => LOOK_ALIKES_OF.get(character));
}

/**
 * What a system writes that lacks the character: a question mark, a box, U+FFFD, or a code point of the
 * private use area. All four survive GB 18030.
 */
export function unreadableName(given: string, seed: number): string {
  return replaceCharacter(given, seed, () => '??□\uFFFD\uE000') ?? given;
}

function replaceCharacter(
  given: string,
  seed: number,
  alternatives: (character: string) => string | undefined,
): string | undefined {
  for (let step = 0; step < given.length; step += 1) {
    const position = (mix(seed, 11) + step) % given.length;
    const choices = alternatives(given.charAt(position));
    if (choices === undefined) continue;
    const replacement = choices.charAt(Math.floor(share(seed, 12) * choices.length));
    return given.slice(0, position) + replacement + given.slice(position + 1);
  }
  return undefined;
}
