// The field lines of one message: strict scanning of raw bytes into offsets, and access by index, id or name.
// One pass over the bytes, no allocation; what it answers depends on the bytes alone, never on how they were split.

import { colon, cr, equalsName, htab, lf, space, tokenClass, valueClass } from "./bytes.ts";
import { fieldIdOf, fieldIds, lastFramingId, underscoredFieldIdOf } from "./fields.ts";
import type { HeadLimits, RequestRejection } from "./limits.ts";
import { rejections } from "./limits.ts";
import { HeadProgress } from "./progress.ts";

const noBytes = Buffer.alloc(0);

/** A block of field lines and the offsets of its parts. Every offset is an index into {@link bytes}. */
export class HeadFields {
  /** What the offsets refer to. */
  bytes: Buffer = noBytes;
  /** Index of the first byte. */
  start = 0;
  /** Index of the first field line; of the empty line if there are no fields. */
  fieldsStart = 0;
  /** Index after the empty line. */
  end = 0;
  /** Number of field lines. Only the first so many entries of the arrays below mean anything. */
  fieldCount = 0;
  /** Where each line, and with it its name, starts. */
  readonly nameStart: Int32Array;
  /** Index of each line's colon. */
  readonly nameEnd: Int32Array;
  /** Where each value starts, without the blanks around it. */
  readonly valueStart: Int32Array;
  /** Index after each value, without the blanks around it. */
  readonly valueEnd: Int32Array;
  /** Index after each line's CRLF. */
  readonly lineEnd: Int32Array;
  /** One of `fieldIds` for each line. */
  readonly fieldId: Uint8Array;
  /** 1 for each line whose name the Connection field lists: it is meant for us alone. */
  readonly nominated: Uint8Array;
  /** @internal Why scanning answered Rejected. */
  _rejection: RequestRejection = rejections.bad_name;
  protected readonly limits: HeadLimits;

  constructor(limits: HeadLimits) {
    const size = limits.maxFields;
    const offsets = new ArrayBuffer(size * 22);
    this.limits = limits;
    this.nameStart = new Int32Array(offsets, 0, size);
    this.nameEnd = new Int32Array(offsets, size * 4, size);
    this.valueStart = new Int32Array(offsets, size * 8, size);
    this.valueEnd = new Int32Array(offsets, size * 12, size);
    this.lineEnd = new Int32Array(offsets, size * 16, size);
    this.fieldId = new Uint8Array(offsets, size * 20, size);
    this.nominated = new Uint8Array(offsets, size * 21, size);
  }

  /** Where each line starts: the same as {@link nameStart}, since folded lines are refused. */
  get lineStart(): Int32Array {
    return this.nameStart;
  }

  /** Lets go of the bytes, which may be a part of a much larger slab, and of every field. */
  release(): void {
    this.bytes = noBytes;
    this.fieldCount = 0;
  }

  /** The value of field `index`, as latin1. */
  valueOf(index: number): string {
    return this.bytes.toString("latin1", this.valueStart[index] ?? 0, this.valueEnd[index] ?? 0);
  }

  /** Index of the first field with this id, or -1. */
  find(id: number): number {
    for (let index = 0; index < this.fieldCount; index++) {
      if (this.fieldId[index] === id) return index;
    }
    return -1;
  }

  /** The value of the first field of that name, as latin1, or undefined. For what is not on the data path. */
  field(lowerCaseName: string): string | undefined {
    for (let index = 0; index < this.fieldCount; index++) {
      if (equalsName(this.bytes, this.nameStart[index] ?? 0, this.nameEnd[index] ?? 0, lowerCaseName)) {
        return this.valueOf(index);
      }
    }
    return undefined;
  }

  /** The values of all fields of that name, joined by commas (RFC 9110 section 5.3), or undefined. */
  fieldList(lowerCaseName: string): string | undefined {
    let list: string | undefined;
    for (let index = 0; index < this.fieldCount; index++) {
      if (!equalsName(this.bytes, this.nameStart[index] ?? 0, this.nameEnd[index] ?? 0, lowerCaseName)) continue;
      list = list === undefined ? this.valueOf(index) : `${list},${this.valueOf(index)}`;
    }
    return list;
  }

  /** Marks all fields of that name as not to be sent on. Never for one that frames or routes the message. */
  leaveOut(lowerCaseName: string): void {
    for (let index = 0; index < this.fieldCount; index++) {
      if (equalsName(this.bytes, this.nameStart[index] ?? 0, this.nameEnd[index] ?? 0, lowerCaseName)) {
        this.nominated[index] = 1;
      }
    }
  }

  /**
   * @internal Scans the field lines of {@link bytes} from `from` on, up to the empty line or to `to`. Complete sets
   * {@link end}; More means that the bytes up to `to` are fine as far as they go.
   */
  _scanFields(from: number, to: number): HeadProgress {
    const { bytes, nameStart, nameEnd, valueStart, valueEnd, lineEnd, fieldId, nominated } = this;
    const names = tokenClass;
    const values = valueClass;
    const maxFields = nameStart.length;
    let count = 0;
    let at = from;
    this.fieldsStart = from;
    this.fieldCount = 0;
    while (at < to) {
      if (bytes[at] === cr) {
        if (at + 1 >= to) return HeadProgress.More;
        if (bytes[at + 1] !== lf) return this._reject(rejections.bare_cr);
        this.end = at + 2;
        return HeadProgress.Complete;
      }

      let index = at;
      let classes = 0;
      let kind = 0;
      while (index < to && (kind = names[bytes[index] ?? 0] ?? 0) !== 0) {
        classes |= kind;
        index++;
      }
      if (index === to) return HeadProgress.More;
      if (bytes[index] !== colon || index === at) return this.#rejectName(at, index);
      if (count === maxFields) return this._reject(rejections.too_many_fields);
      const colonAt = index++;

      let byte = 0;
      while (index < to && ((byte = bytes[index] ?? 0) === space || byte === htab)) index++;
      const start = index;
      // Four bytes a turn: most of a head are values, and this is a third faster.
      while (
        index + 3 < to &&
        ((values[bytes[index] ?? 0] ?? 0) &
          (values[bytes[index + 1] ?? 0] ?? 0) &
          (values[bytes[index + 2] ?? 0] ?? 0) &
          (values[bytes[index + 3] ?? 0] ?? 0)) !==
          0
      ) {
        index += 4;
      }
      while (index < to && values[bytes[index] ?? 0] !== 0) index++;
      if (index === to) return HeadProgress.More;
      if (bytes[index] !== cr) return this._reject(bytes[index] === lf ? rejections.bare_lf : rejections.bad_value);
      if (index + 1 === to) return HeadProgress.More;
      if (bytes[index + 1] !== lf) return this._reject(rejections.bare_cr);
      let end = index;
      while (end > start && ((byte = bytes[end - 1] ?? 0) === space || byte === htab)) end--;

      const id = classes === 3 ? underscoredFieldIdOf(bytes, at, colonAt) : fieldIdOf(bytes, at, colonAt);
      nameStart[count] = at;
      nameEnd[count] = colonAt;
      valueStart[count] = start;
      valueEnd[count] = end;
      lineEnd[count] = index + 2;
      fieldId[count] = id;
      nominated[count] = 0;
      if (id !== fieldIds.unknown && id <= lastFramingId) {
        const rejection = this._onFramingField(id, count);
        if (rejection !== undefined) return this._reject(rejection);
      }
      at = index + 2;
      this.fieldCount = ++count;
    }
    return HeadProgress.More;
  }

  /** @internal A field that changes how the message is read was scanned; answers why it is refused, if it is. */
  _onFramingField(_id: number, _index: number): RequestRejection | undefined {
    return undefined;
  }

  /** @internal */
  _reject(rejection: RequestRejection): HeadProgress {
    this._rejection = rejection;
    return HeadProgress.Rejected;
  }

  /** The name from `start` ended at `at` with something else than a colon, or is empty. */
  #rejectName(start: number, at: number): HeadProgress {
    const byte = this.bytes[at];
    if (byte === lf) return this._reject(rejections.bare_lf);
    return this._reject(at === start && (byte === space || byte === htab) ? rejections.obs_fold : rejections.bad_name);
  }
}
