/**
 * Remembers the answers of a pure function of one text, for columns whose values repeat.
 *
 * @param limit how many answers are kept; when full, all are forgotten at once, so memory stays bounded
 * @param compute the function; it must depend on its argument alone
 */
export function memoise<Answer>(limit: number, compute: (text: string) => Answer): (text: string) => Answer {
  const answers = new Map<string, Answer>();
  return (text) => {
    const known = answers.get(text);
    if (known !== undefined) return known;
    const answer = compute(text);
    if (answers.size >= limit) answers.clear();
    answers.set(text, answer);
    return answer;
  };
}
