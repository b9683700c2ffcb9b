import { describe, expect, it } from 'vitest';
import { isPlaceholderName } from '../../src/schema/standards/placeholders.ts';

describe('isPlaceholderName', () => {
  it.each([
    '测试',
    '测试员一',
    '张三测试',
    '不详',
    '无名氏',
    '未知',
    '某某',
    '王某',
    'XXX',
    '张XX',
    '123',
    '*',
    'NULL',
    '无',
  ])('%s is a placeholder', (name) => {
    expect(isPlaceholderName(name)).toBe(true);
  });

  it.each(['张三', '李四', '王伟', '吴不凡', '阿依古丽·吐尔逊', 'JOHN FOXX', '□', '王□', '张林林'])(
    '%s is a name',
    (name) => {
      expect(isPlaceholderName(name)).toBe(false);
    },
  );
});
