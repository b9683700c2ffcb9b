import { KINSHIP_CODES, SEX_CODES } from '../standards/codes.ts';
import { defineContract } from './contract.ts';
import { address, code, decimal, division, idNumber, integer, month, personName, text } from './field.ts';

export const subsistenceAllowance = defineContract({
  feed: 'subsistence_allowance',
  department: 'civil-affairs',
  title: { zh: '最低生活保障', en: 'Subsistence allowance' },
  mode: 'snapshot',
  key: ['allowance_number', 'member_number'],
  updatedAt: null,
  fields: {
    allowance_number: text('低保证号', 'Allowance certificate number', { required: true }),
    member_number: integer('成员序号', 'Number of the member in the household', { required: true }),
    id_number: idNumber('证件号码', 'Document number'),
    name: personName('姓名', 'Name', { required: true }),
    sex: code('性别', 'Sex (GB/T 2261.1)', SEX_CODES, { sensitivity: 'personal' }),
    kinship: code('与户主关系', 'Relation to the head of household (GB/T 4761)', KINSHIP_CODES),
    kind: code('保障类型', 'Kind of allowance', {
      城市: { zh: '城市', en: 'urban' },
      农村: { zh: '农村', en: 'rural' },
    }),
    monthly_amount: decimal('月保障金额', 'Monthly amount (yuan)', {
      required: true,
      sensitivity: 'personal',
    }),
    since_month: month('起始年月', 'First month'),
    home_address: address('家庭住址', 'Home address'),
    division: division('区划代码', 'Division'),
  },
  mentions: [
    {
      role: 'subject',
      meaning: { zh: '保障对象', en: 'the recipient' },
      idNumber: 'id_number',
      name: 'name',
      sex: 'sex',
      division: 'division',
      address: 'home_address',
      household: 'allowance_number',
    },
  ],
});
