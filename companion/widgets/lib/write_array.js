/** An array as `readArray` of array.js reads it and Python's `Array` holds it, of float32 numbers. */
export function writeArray(values, shape) {
  const data = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => data.setFloat32(4 * i, value, true));
  return { dtype: "float32", shape, data };
}
