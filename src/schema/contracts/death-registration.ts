import { SEX_CODES } from '../standards/codes.ts';
import { defineContract } from './contract.ts';
import { address, birthDate, code, date, idNumber, personName, text, timestamp } from './field.ts';

export const deathRegistration = defineContract({
  feed: 'death_registration',
  department: 'civil-affairs',
  title: { zh: '殡葬火化登记', en: 'Death and cremation registration' },
  mode: 'incremental',
  key: ['cremation_number'],
  updatedAt: 'updated_at',
  fields: {
    cremation_number: text('火化编号', 'Cremation number', { required: true }),
    id_number: idNumber('证件号码', 'Document number'),
    name: personName('姓名', 'Name', { required: true }),
    sex: code('性别', 'Sex (GB/T 2261.1)', SEX_CODES, { sensitivity: 'personal' }),
    birth_date: birthDate('出生日期', 'Date of birth'),
    died_on: date('死亡日期', 'Died on', { required: true, sensitivity: 'personal' }),
    cremated_on: date('火化日期', 'Cremated on'),
    last_address: address('生前住址', 'Last address'),
    updated_at: timestamp('更新时间', 'Last change at the source', { required: true }),
  },
  mentions: [
    {
      role: 'subject',
      meaning: { zh: '死者', en: 'the deceased' },
      idNumber: 'id_number',
      name: 'name',
      sex: 'sex',
      birthDate: 'birth_date',
      address: 'last_address',
    },
  ],
});
