/** The headings by which an answered list finds its way back; the department fills in the last two. */
export const HEADINGS = {
  number: '校核单号',
  line: '行号',
  reply: '处理结果',
  note: '处理说明',
} as const;

/** What a department may answer, and the word for it in the file. */
export const REPLIES = {
  corrected: '已更正',
  right_as_it_is: '核实无误',
  not_found: '查无此记录',
  not_ours: '非本部门',
} as const;

/** What has become of a line by the time at which the list is written. */
export const STATES = { asked: '待办理', withdrawn: '已撤回', settled: '已办结' } as const;

/** What stands on the second sheet, for whoever fills the first one in. */
export const GUIDE: readonly string[] = [
  `请逐行核对本部门记录，并在“${HEADINGS.reply}”栏填写：${Object.values(REPLIES).join('、')}。`,
  `${REPLIES.corrected}：记录已在本部门系统中更正，下一批报送数据到达后疑点自动关闭。`,
  `${REPLIES.right_as_it_is}、${REPLIES.not_found}、${REPLIES.not_ours}：请在“${HEADINGS.note}”栏写明情况，由数据专员继续处理。`,
  `办理状态为“${STATES.withdrawn}”“${STATES.settled}”的行不必填写。`,
  `请勿改动“${HEADINGS.number}”和“${HEADINGS.line}”。填好后将本表原样发回。`,
];
