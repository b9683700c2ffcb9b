/**
 * The functions that models may call beside SQL's own and those of the extension fuzzystrmatch (levenshtein, soundex,
 * metaphone, daitch_mokotoff …). Each statement creates one function in the first schema of the search path;
 * fuzzystrmatch must be on it too.
 */
export const COMPARATORS: readonly string[] = [
  // Edits between the first 255 characters (the most that levenshtein takes); beyond `most` any number above it.
  `CREATE FUNCTION edits(a text, b text, most integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT levenshtein_less_equal(left(a, 255), left(b, 255), most) $$`,

  // 1 for equal texts, 0 when every character must change.
  `CREATE FUNCTION edit_similarity(a text, b text) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 1 - levenshtein(left(a, 255), left(b, 255))::float8 / nullif(least(255, greatest(length(a), length(b))), 0) $$`,

  // Two neighbours swapped, all else equal.
  `CREATE FUNCTION transposed(a text, b text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 60 AS $$
    BEGIN
      IF length(a) <> length(b) OR a = b THEN RETURN false; END IF;
      FOR i IN 1 .. length(a) - 1 LOOP
        IF substr(a, i, 1) <> substr(b, i, 1) THEN
          RETURN substr(a, i, 1) = substr(b, i + 1, 1) AND substr(a, i + 1, 1) = substr(b, i, 1)
             AND substr(a, i + 2) = substr(b, i + 2);
        END IF;
      END LOOP;
      RETURN false;
    END $$`,

  // At most one of the four slips of Damerau 1964: a character too many, too few or wrong, or two neighbours swapped.
  `CREATE FUNCTION one_slip(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE edits(a, b, 2)
      WHEN 0 THEN true WHEN 1 THEN true WHEN 2 THEN transposed(a, b) WHEN 3 THEN false END $$`,

  // Winkler 1990, "String comparator metrics and enhanced decision rules": Jaro's similarity, raised by 0.1 for each
  // of up to four first characters in common. Case and accents are the caller's matter.
  `CREATE FUNCTION jaro_winkler(a text, b text) RETURNS float8 LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 300 AS $$
    DECLARE
      length_a integer := length(a);
      length_b integer := length(b);
      reach integer := greatest(length_a, length_b) / 2 - 1;
      rest text := b;
      matched_a text := '';
      matched_b text := '';
      character_a text;
      first integer;
      found integer;
      matches integer;
      swapped integer := 0;
      prefix integer := 0;
      jaro float8;
    BEGIN
      IF a = b THEN RETURN 1; END IF;
      IF length_a = 0 OR length_b = 0 THEN RETURN 0; END IF;
      IF reach < 0 THEN reach := 0; END IF;
      FOR i IN 1 .. length_a LOOP
        character_a := substr(a, i, 1);
        first := CASE WHEN i > reach THEN i - reach ELSE 1 END;
        found := strpos(substr(rest, first, i + reach - first + 1), character_a);
        IF found > 0 THEN
          -- A character is used once: it gives way to one that stands in no text.
          rest := overlay(rest PLACING E'\\x01' FROM first + found - 1 FOR 1);
          matched_a := matched_a || character_a;
        END IF;
      END LOOP;
      matches := length(matched_a);
      IF matches = 0 THEN RETURN 0; END IF;
      IF rest <> repeat(E'\\x01', length_b) THEN
        FOR i IN 1 .. length_b LOOP
          IF substr(rest, i, 1) = E'\\x01' THEN matched_b := matched_b || substr(b, i, 1); END IF;
        END LOOP;
      ELSE
        matched_b := b;
      END IF;
      IF matched_a <> matched_b THEN
        FOR i IN 1 .. matches LOOP
          IF substr(matched_a, i, 1) <> substr(matched_b, i, 1) THEN swapped := swapped + 1; END IF;
        END LOOP;
      END IF;
      jaro := (matches::float8 / length_a + matches::float8 / length_b
               + (matches - swapped / 2)::float8 / matches) / 3;
      WHILE prefix < 4 AND prefix < least(length_a, length_b)
            AND substr(a, prefix + 1, 1) = substr(b, prefix + 1, 1) LOOP
        prefix := prefix + 1;
      END LOOP;
      RETURN jaro + prefix * 0.1 * (1 - jaro);
    END $$`,

  // Whether jaro_winkler reaches a value. Most pairs are settled without computing it: Jaro's similarity is at most
  // (m / |a| + m / |b| + 1) / 3, where m is the smaller number of characters that occur in the other text at all.
  `CREATE FUNCTION jaro_winkler_bound(a text, b text) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (1 + least(length(a) - length(translate(a, b, '')), length(b) - length(translate(b, a, '')))
                * (1 / nullif(length(a), 0)::float8 + 1 / nullif(length(b), 0)::float8)) / 3 $$`,
  `CREATE FUNCTION jaro_winkler_reaches(a text, b text, threshold float8) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
      WHEN jaro_winkler_bound(a, b) * CASE WHEN left(a, 1) = left(b, 1) THEN 0.6 ELSE 1 END
         + CASE WHEN left(a, 1) = left(b, 1) THEN 0.4 ELSE 0 END < threshold - 1e-9 THEN false
      ELSE jaro_winkler(a, b) >= threshold END $$`,

  // The day of eight digits YYYYMMDD, or null when there is no such day.
  `CREATE FUNCTION as_date(digits text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
      WHEN digits ~ '^[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$' AND left(digits, 4) <> '0000'
       AND substr(digits, 7, 2)::integer <= extract(day FROM
             make_date(left(digits, 4)::integer, substr(digits, 5, 2)::integer, 1) + interval '1 month - 1 day')
      THEN make_date(left(digits, 4)::integer, substr(digits, 5, 2)::integer, substr(digits, 7, 2)::integer) END $$`,

  // The text and every text that it becomes when one character goes: two texts one edit apart have one in common.
  // Of a run of equal characters it makes no difference which one goes.
  `CREATE FUNCTION deletions(given text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 300 AS $$
    DECLARE
      texts text[] := ARRAY[given];
    BEGIN
      FOR i IN 1 .. length(given) LOOP
        IF substr(given, i, 1) <> substr(given, i + 1, 1) THEN
          texts := texts || (left(given, i - 1) || substr(given, i + 1));
        END IF;
      END LOOP;
      RETURN texts;
    END $$`,

  // The words of a text in alphabetical order.
  `CREATE FUNCTION sorted_words(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(word, ' ' ORDER BY word COLLATE "C") FROM regexp_split_to_table(given, '\\s+') word $$`,
];
