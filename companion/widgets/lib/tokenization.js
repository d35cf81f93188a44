/**
 * Pieces that know their place in the text, and the ways to cut a text into words: companion/tokenization.py, in small. (Marks that Unicode's
 * canonical order moves, and that are no accents, stay where they are here.) A word is a list of {text, at}: its characters after
 * normalisation, and the place in the text (counted in characters) of the one that each comes from.
 */
const CHINESE = /^[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]$/u;
export const SPACE_MARK = "\u2581";
export const UNKNOWN = "[UNK]";

export const spelled = (word) => word.map(({ text }) => text).join("");
export const covering = (word, token, id) => ({ token, id, start: word[0].at, end: word.at(-1).at + 1 });
export const count = (texts) => texts.reduce((counts, text) => counts.set(text, (counts.get(text) ?? 0) + 1), new Map());

/** The order of Python: by code points. */
export function compare(one, other) {
  const [a, b] = [[...one], [...other]];
  const i = a.findIndex((character, at) => character !== b[at]);
  return i < 0 ? a.length - b.length : i >= b.length ? 1 : a[i].codePointAt(0) - b[i].codePointAt(0);
}

/** A text as an uncased BERT reads it: small letters, no accents, no control characters. */
export function normalized(text) {
  return [...text].flatMap((character, at) => {
    const space = /[\t\n\r]/.test(character);
    if (!space && /^[\ufffd\p{Cc}\p{Cf}\p{Co}]$/u.test(character)) return [];
    const plain = space || /^\s$/u.test(character) ? " " : CHINESE.test(character) ? ` ${character} ` : character;
    const parts = [...plain.normalize("NFD")].filter((part) => !/^\p{Mn}$/u.test(part));
    return parts.flatMap((part) => [...part.toLowerCase()]).map((part) => ({ text: part, at }));
  });
}

const isPunctuation = (character) => /^[!-/:-@[-`{-~\p{P}]$/u.test(character);

/** The words of a text as BERT cuts them: at white space, and each punctuation mark by itself. */
export function bertWords(text) {
  const words = [];
  let inside = false;
  for (const part of normalized(text)) {
    const [space, mark] = [/^\s$/u.test(part.text), isPunctuation(part.text)];
    if (!space) {
      if (mark || !inside) words.push([]);
      words.at(-1).push(part);
    }
    inside = !(space || mark);
  }
  return words;
}

/** The words as SentencePiece marks them: a space becomes ▁, and begins a word. */
export function markedWords(text) {
  const words = [];
  for (const { text: character, at } of normalized(text)) {
    const marked = character === " " ? SPACE_MARK : character;
    if (!words.length && marked !== SPACE_MARK) words.push([{ text: SPACE_MARK, at }]);
    if (marked === SPACE_MARK) words.push([]);
    words.at(-1).push({ text: marked, at });
  }
  return words;
}

const numbered = (vocabulary) => new Map(vocabulary.map((token, i) => [token, i]));

/** Of words ([text, count]), each is a token if it is one of the `size` - 1 most frequent ones. */
export function wholeWords(words, size) {
  const order = [...words].sort(([one, a], [other, b]) => b - a || compare(one, other)).map(([word]) => word);
  const vocabulary = [UNKNOWN, ...order.slice(0, Math.max(0, size - 1))];
  const numbers = numbered(vocabulary);
  const cut = (word) => (numbers.has(spelled(word)) ? [covering(word, spelled(word), numbers.get(spelled(word)))] : [covering(word, UNKNOWN, 0)]);
  return { vocabulary, encode: (all) => all.flatMap(cut) };
}

/** From the left, the longest piece of a vocabulary: companion/wordpiece.py. */
export function wordPiece(vocabulary, prefix = "##", most = 100) {
  const numbers = numbered(vocabulary);
  function cut(word) {
    const pieces = [];
    let done = 0;
    while (done < word.length && word.length <= most) {
      let end = word.length;
      const token = () => (done ? prefix : "") + spelled(word.slice(done, end));
      while (end > done && !numbers.has(token())) end--;
      if (end === done) break;
      pieces.push(covering(word.slice(done, end), token(), numbers.get(token())));
      done = end;
    }
    return done < word.length ? [covering(word, UNKNOWN, numbers.get(UNKNOWN))] : pieces;
  }
  return { vocabulary, encode: (all) => all.flatMap(cut) };
}

/** The bytes of a text in UTF-8, each a piece; none is unknown. */
export function bytes(text) {
  const encoder = new TextEncoder();
  return [...text].flatMap((character, at) =>
    [...encoder.encode(character)].map((byte) => ({
      token: byte > 32 && byte < 127 ? character : byte.toString(16).toUpperCase().padStart(2, "0"), id: byte, start: at, end: at + 1,
    })));
}
