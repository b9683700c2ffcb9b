import fc from 'fast-check';

/**
 * Random tests draw the same cases every time, so that a red run speaks of the change and not of the draw. Other
 * cases are drawn with another number in TEST_SEED.
 */
fc.configureGlobal({ seed: Number(process.env['TEST_SEED'] ?? 20_261_118) });
