import { SEX_CODES } from '../standards/codes.ts';
import { defineContract } from './contract.ts';
import { birthDate, code, date, division, idNumber, month, personName, phone, text } from './field.ts';

export const socialInsurance = defineContract({
  feed: 'social_insurance',
  department: 'human-resources',
  title: { zh: '社会保险参保', en: 'Social insurance' },
  mode: 'snapshot',
  key: ['insured_number', 'insurance_kind'],
  updatedAt: null,
  fields: {
    insured_number: text('个人编号', 'Number of the insured person', { required: true }),
    insurance_kind: code(
      '险种代码',
      'Kind of insurance',
      {
        '110': { zh: '城镇职工养老', en: 'pension, employees' },
        '170': { zh: '城乡居民养老', en: 'pension, residents' },
        '310': { zh: '职工医保', en: 'health, employees' },
        '390': { zh: '居民医保', en: 'health, residents' },
      },
      { required: true },
    ),
    id_number: idNumber('公民身份号码', 'Citizen identity number'),
    name: personName('姓名', 'Name', { required: true }),
    sex: code('性别', 'Sex (GB/T 2261.1)', SEX_CODES, { sensitivity: 'personal' }),
    birth_date: birthDate('出生日期', 'Date of birth'),
    status: code(
      '参保状态',
      'State of the insurance',
      {
        '1': { zh: '正常', en: 'active' },
        '2': { zh: '暂停', en: 'suspended' },
        '3': { zh: '终止', en: 'ended' },
      },
      { required: true },
    ),
    insured_since: date('参保日期', 'Insured since'),
    employer: text('单位名称', 'Employer'),
    employer_credit_code: text('统一社会信用代码', "Employer's unified social credit code"),
    last_paid_month: month('最近缴费年月', 'Last month paid'),
    benefit_status: code('待遇状态', 'State of the benefit', {
      '0': { zh: '未领取', en: 'not drawn' },
      '1': { zh: '领取中', en: 'drawn' },
      '2': { zh: '停发', en: 'stopped' },
    }),
    phone: phone('联系电话', 'Telephone'),
    insured_division: division('参保地区划代码', 'Division of insurance'),
  },
  lookups: [['insured_since']],
  mentions: [
    {
      role: 'subject',
      meaning: { zh: '参保人', en: 'the insured person' },
      idNumber: 'id_number',
      name: 'name',
      sex: 'sex',
      birthDate: 'birth_date',
      phone: 'phone',
      sourcePerson: 'insured_number',
    },
  ],
});
