import { existsSync } from 'node:fs';

const PROGRAM = '/usr/bin/chromium';

/** Whether Debian's Chromium is here; without it, the tests of pages say that they are skipped. */
export const hasChromium = existsSync(PROGRAM);

/** How tests start it: as root too, and without a word to anybody but the server under test. */
export const CHROMIUM = {
  executablePath: PROGRAM,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};
