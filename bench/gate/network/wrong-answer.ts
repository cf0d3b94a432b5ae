// Bytes that came and were not those of the origin. However busy a machine is, it does not change bytes: this is never
// excused by noise, as a deadline that passed may be.

/** An answer that is wrong in itself. */
export class WrongAnswer extends Error {
  override readonly name = "WrongAnswer";
}
