import { SEX_CODES } from '../standards/codes.ts';
import { defineContract } from './contract.ts';
import { birthDate, code, division, idNumber, personName, phone, text } from './field.ts';

export const schoolEnrolment = defineContract({
  feed: 'school_enrolment',
  department: 'education',
  title: { zh: '学籍', en: 'School enrolment' },
  mode: 'snapshot',
  key: ['enrolment_number'],
  updatedAt: null,
  fields: {
    enrolment_number: text('学籍号', 'Enrolment number', { required: true }),
    id_number: idNumber('证件号码', 'Document number'),
    name: personName('姓名', 'Name', { required: true }),
    sex: code('性别', 'Sex (GB/T 2261.1)', SEX_CODES, { required: true, sensitivity: 'personal' }),
    birth_date: birthDate('出生日期', 'Date of birth', { required: true }),
    school: text('学校名称', 'School', { required: true }),
    grade: text('年级', 'Grade'),
    registered_division: division('户籍地区划代码', 'Division of household registration'),
    living_division: division('现住地区划代码', 'Division of living'),
    guardian_name: personName('监护人姓名', "Guardian's name"),
    guardian_id_number: idNumber('监护人证件号码', "Guardian's document number"),
    guardian_phone: phone('监护人联系电话', "Guardian's telephone"),
  },
  mentions: [
    {
      role: 'subject',
      meaning: { zh: '学生', en: 'the pupil' },
      idNumber: 'id_number',
      name: 'name',
      sex: 'sex',
      birthDate: 'birth_date',
      division: 'living_division',
      registeredDivision: 'registered_division',
      kin: ['guardian'],
    },
    {
      // The telephone is the guardian's alone; where the guardian lives, the record does not say.
      role: 'guardian',
      meaning: { zh: '监护人', en: 'the guardian' },
      idNumber: 'guardian_id_number',
      name: 'guardian_name',
      phone: 'guardian_phone',
      kin: ['subject'],
    },
  ],
});
