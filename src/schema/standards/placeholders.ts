/**
 * What clerks type when a form insists on a value that they do not have (rule DQ09). The identity number,
 * phone and name modules share these judgements, so that one placeholder is one everywhere.
 */

const PLACEHOLDER_TEXTS = new Set(
  (
    '无 无证 无证件 无身份证 无号码 无电话 无手机 无联系电话 没有 暂无 暂缺 缺 空 空白 ' +
    '不详 不祥 不明 不清 不清楚 不知道 未知 未办 未办理 未办证 未登记 未提供 未录入 未填 未填写 ' +
    '待补 待补充 待补录 待定 待查 待核实 保密 同上 略 测试 / // \\ . * - NULL NONE NIL NA N/A UNKNOWN TEST'
  ).split(' '),
);

const PLACEHOLDER_NAMES = new Set(
  '无名 无名氏 无姓名 无名男 无名女 无名男婴 无名女婴 佚名 姓名 名字 未取名 未命名 未起名 暂未取名 新生儿 匿名'.split(
    ' ',
  ),
);

/** Whether a trimmed, half-width, upper-case text says "nothing known" instead of a value. */
export function isPlaceholderText(text: string): boolean {
  return PLACEHOLDER_TEXTS.has(text) || text.includes('测试');
}

/** Whether all characters from the one at index `from` to the end are the same; false for less than one. */
export function isRepeated(text: string, from = 0): boolean {
  const first = text.charCodeAt(from);
  for (let index = from + 1; index < text.length; index += 1) {
    if (text.charCodeAt(index) !== first) return false;
  }
  return text.length > from;
}

/** Whether the digits from index `from` go up, or down, by one each (9 and 0 being neighbours). */
export function isSequential(digits: string, from = 0): boolean {
  const step = digits.charCodeAt(from + 1) - digits.charCodeAt(from);
  const up = step === 1 || step === -9;
  if (!up && step !== -1 && step !== 9) return false;
  for (let index = from + 2; index < digits.length; index += 1) {
    const next = digits.charCodeAt(index) - digits.charCodeAt(index - 1);
    if (up ? next !== 1 && next !== -9 : next !== -1 && next !== 9) return false;
  }
  return true;
}

/**
 * Whether a name is a placeholder: 测试, 不详, 无名氏, 某某, XXX, digits or marks alone. A name that merely
 * sounds like one (张三) is a name. A name of unreadable characters alone is not one: that is rule DQ10.
 *
 * @param name a name as `normaliseName` returns it
 */
export function isPlaceholderName(name: string): boolean {
  if (isPlaceholderText(name) || PLACEHOLDER_NAMES.has(name) || name.includes('某')) return true;
  return (
    /^[^\p{Letter}□]+$/u.test(name) || /^(.)\1{3,}$/u.test(name) || /^X{2,}$|\p{Script=Han}X{2,}$/u.test(name)
  );
}
