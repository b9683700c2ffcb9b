import { pinyin } from 'pinyin-pro';
import { memoise } from './memo.ts';

/** Compound surnames (复姓) in use. */
const COMPOUND_SURNAMES = new Set(
  (
    '欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 ' +
    '太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 ' +
    '漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 公仪 梁丘 公仲 ' +
    '公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 公乘 贯丘 公皙 南荣 东里 东宫 仲长 子书 子桑 即墨 达奚 ' +
    '褚师 单于 淳于 叔孙 纳兰 完颜 哥舒 贺兰 屈突 宿勤 侯莫 贺若 伯赏 东门 阳佟'
  ).split(' '),
);

/** Surname readings that pinyin-pro does not have. */
const SURNAME_READINGS: Readonly<Record<string, string>> = {
  种: 'chong',
  秘: 'bi',
  召: 'shao',
  祭: 'zhai',
  洗: 'xian',
  隗: 'kui',
  单于: 'chan yu',
};

/** Han names longer than this, without a compound surname, are transliterated ones: they have no surname. */
const LONGEST_HAN_NAME = 4;

/**
 * The surname that a normalised name begins with, one character or a compound one. Empty when the name has
 * none that can be told: names with a dot (阿依古丽·吐尔逊), Latin names, a first character unreadable.
 */
export function surnameOf(name: string): string {
  if (name.includes('·') || !/^\p{Script=Han}/u.test(name)) return '';
  const characters = Array.from(name);
  const firstTwo = characters.slice(0, 2).join('');
  if (characters.length > 2 && COMPOUND_SURNAMES.has(firstTwo)) return firstTwo;
  return characters.length > LONGEST_HAN_NAME ? '' : (characters[0] ?? '');
}

/** Toneless pinyin of a surname in the reading that surnames have: 单 is shan, 万俟 is mo qi; ü is v. */
export const surnamePinyin: (surname: string) => string = memoise(
  10_000,
  (surname) => SURNAME_READINGS[surname] ?? pinyin(surname, { mode: 'surname', toneType: 'none', v: true }),
);
