/**
 * Pieces of a byte-level tokenizer: each is written with one character a byte (as GPT-2 began it), so that its
 * length is known from its name, and bytes that make no character by themselves make one together.
 */
const byteOf = new Map();
{
  const plain = [[33, 126], [161, 172], [174, 255]].flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i));
  for (const byte of plain) byteOf.set(String.fromCharCode(byte), byte);
  let next = 256;
  for (let byte = 0; byte < 256; byte++) if (!plain.includes(byte)) byteOf.set(String.fromCharCode(next++), byte);
}

/** How many bytes of UTF-8 a piece stands for. */
export const byteLength = (name) => [...name].length;

/** The text that pieces make together. */
export const join = (names) =>
  new TextDecoder().decode(Uint8Array.from(names.flatMap((name) => [...name].map((character) => byteOf.get(character) ?? 63))));

/**
 * The words of a text (what stands between white space), each as {start, stop, first, last}: its characters in the
 * text, and its first and last piece. `lengths` are the pieces' byte lengths.
 */
export function wordsOf(text, lengths) {
  const ends = [];
  lengths.reduce((sum, length) => (ends.push(sum + length), sum + length), 0);
  const encoder = new TextEncoder();
  let [bytes, at, piece] = [0, 0, 0];
  return [...text.matchAll(/\S+/gu)].map(({ 0: word, index }) => {
    bytes += encoder.encode(text.slice(at, index)).length;
    at = index;
    while (ends[piece] <= bytes) piece++;
    const first = piece;
    bytes += encoder.encode(word).length;
    at += word.length;
    while (ends[piece] < bytes) piece++;
    return { start: index, stop: at, first, last: piece };
  });
}
