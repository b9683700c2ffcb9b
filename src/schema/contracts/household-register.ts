import { KINSHIP_CODES, MARITAL_STATUS_CODES, SEX_CODES } from '../standards/codes.ts';
import { defineContract } from './contract.ts';
import {
  address,
  birthDate,
  code,
  date,
  division,
  idNumber,
  personName,
  phone,
  text,
  timestamp,
} from './field.ts';

export const householdRegister = defineContract({
  feed: 'household_register',
  department: 'public-security',
  title: { zh: '户籍登记', en: 'Household register' },
  mode: 'snapshot',
  key: ['person_number'],
  updatedAt: 'updated_at',
  fields: {
    person_number: text('人员编号', 'Number of the person in the register', { required: true }),
    id_number: idNumber('公民身份号码', 'Citizen identity number'),
    name: personName('姓名', 'Name', { required: true }),
    former_name: personName('曾用名', 'Former name'),
    sex: code('性别', 'Sex (GB/T 2261.1)', SEX_CODES, { required: true, sensitivity: 'personal' }),
    birth_date: birthDate('出生日期', 'Date of birth', { required: true }),
    registered_division: division('户籍地区划代码', 'Division of registration', { required: true }),
    registered_address: address('户籍地址', 'Registered address'),
    household_number: text('户号', 'Household number', { required: true }),
    kinship: code('与户主关系', 'Relation to the head of household (GB/T 4761)', KINSHIP_CODES),
    marital_status: code('婚姻状况', 'Marital status (GB/T 2261.2)', MARITAL_STATUS_CODES, {
      sensitivity: 'personal',
    }),
    status: code(
      '户口状态',
      'State of the registration',
      {
        '1': { zh: '正常', en: 'active' },
        '2': { zh: '迁出', en: 'moved out' },
        '3': { zh: '死亡注销', en: 'cancelled on death' },
        '4': { zh: '其他注销', en: 'cancelled otherwise' },
      },
      { required: true },
    ),
    moved_in_on: date('迁入日期', 'Moved in on'),
    cancelled_on: date('注销日期', 'Cancelled on'),
    phone: phone('联系电话', 'Telephone'),
    updated_at: timestamp('更新时间', 'Last change at the source', { required: true }),
  },
  lookups: [['cancelled_on']],
  mentions: [
    {
      role: 'subject',
      meaning: { zh: '本人', en: 'the registered person' },
      idNumber: 'id_number',
      name: 'name',
      sex: 'sex',
      birthDate: 'birth_date',
      phone: 'phone',
      division: 'registered_division',
      address: 'registered_address',
      household: 'household_number',
    },
  ],
});
