import { SEX_CODES } from '../standards/codes.ts';
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

export const residenceRegistration = defineContract({
  feed: 'residence_registration',
  department: 'public-security',
  title: { zh: '居住登记', en: 'Residence registration' },
  mode: 'incremental',
  key: ['registration_number'],
  updatedAt: 'updated_at',
  fields: {
    registration_number: text('登记编号', 'Registration number', { required: true }),
    id_number: idNumber('公民身份号码', 'Citizen identity number'),
    name: personName('姓名', 'Name', { required: true }),
    sex: code('性别', 'Sex (GB/T 2261.1)', SEX_CODES, { required: true, sensitivity: 'personal' }),
    birth_date: birthDate('出生日期', 'Date of birth', { required: true }),
    registered_division: division('户籍地区划代码', 'Division of household registration'),
    living_division: division('现住地区划代码', 'Division of living', { required: true }),
    living_address: address('现住地址', 'Address of living', { required: true }),
    dwelling_code: text('房屋编码', 'Dwelling code'),
    reason: code('居住事由', 'Reason of residence', {
      '01': { zh: '务工', en: 'employment' },
      '02': { zh: '经商', en: 'trade' },
      '03': { zh: '随迁', en: 'with family' },
      '09': { zh: '其他', en: 'other' },
    }),
    registered_on: date('登记日期', 'Registered on', { required: true }),
    valid_until: date('有效期至', 'Valid until', { required: true }),
    permit_number: text('居住证编号', 'Residence permit number', { sensitivity: 'personal' }),
    phone: phone('联系电话', 'Telephone'),
    updated_at: timestamp('更新时间', 'Last change at the source', { required: true }),
  },
  mentions: [
    {
      role: 'subject',
      meaning: { zh: '本人', en: 'the resident' },
      idNumber: 'id_number',
      name: 'name',
      sex: 'sex',
      birthDate: 'birth_date',
      phone: 'phone',
      division: 'living_division',
      dwelling: 'dwelling_code',
    },
  ],
});
