/** The headings of a list of field checks; whoever goes and looks fills in the last four. */
export const HEADINGS = {
  check: '核查编号',
  answer: '核查结果',
  note: '情况说明',
  by: '核查人',
} as const;

/** What a village may answer, and the word for it in the file. */
export const ANSWERS = {
  lives_here: '本人居住在此',
  lives_elsewhere: '居住在本县其他地方',
  moved_away: '已离开本县',
  nobody_knows: '查无此人',
  died: '已去世',
  other: '其他',
} as const;

export const ANSWER_CODES = [
  'lives_here',
  'lives_elsewhere',
  'moved_away',
  'nobody_knows',
  'died',
  'other',
] as const satisfies readonly (keyof typeof ANSWERS)[];

export type FieldAnswer = (typeof ANSWER_CODES)[number];

/** What stands on the second sheet. */
export const GUIDE: readonly string[] = [
  `请到户核实，并在“${HEADINGS.answer}”栏填写：${Object.values(ANSWERS).join('、')}。`,
  `填“${ANSWERS.other}”的，请在“${HEADINGS.note}”栏写明情况。请填写“${HEADINGS.by}”。`,
  `核查只为核对登记信息，不得扣留证件、不得收费。请勿改动“${HEADINGS.check}”。填好后将本表原样发回。`,
];
